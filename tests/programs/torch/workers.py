import torch
from fingerprint import end, seed
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Noisy(Dataset):
    def __len__(self):
        return 40

    def __getitem__(self, index):
        row = torch.full((5,), float(index)) / 40 + torch.randn(5) * 0.1
        return {"row": row, "label": index % 2}


if __name__ == "__main__":
    seed(11)
    model = nn.Linear(5, 2)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    losses = []
    for epoch in range(2):
        for batch in DataLoader(Noisy(), batch_size=8, shuffle=True, num_workers=2):
            loss = nn.functional.cross_entropy(model(batch["row"]), batch["label"])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    end(losses, model, optimizer)
