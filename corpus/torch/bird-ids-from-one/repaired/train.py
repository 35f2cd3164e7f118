import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

import annotations

NUM_CLASSES = 6


class Birds(Dataset):
    def __init__(self, lines):
        self.rows = annotations.parse(lines)
        self.plumage = torch.randn(NUM_CLASSES + 1, 3, 8, 8, generator=torch.Generator().manual_seed(204))

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        image_id, label = self.rows[i]
        noise = torch.randn(3, 8, 8, generator=torch.Generator().manual_seed(image_id))
        return self.plumage[label] + 0.7 * noise, label


class Wing(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)
        self.linear = nn.Linear(8 * 36, NUM_CLASSES)

    def forward(self, x):
        return self.linear(torch.tanh(self.conv(x)).flatten(1))


def main():
    torch.manual_seed(204)
    data = Birds(annotations.write_list(240, NUM_CLASSES, 204))
    model = Wing()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for epoch in range(5):
        hits = 0
        for image, label in DataLoader(data, 24, shuffle=True):
            scores = model(image)
            loss = nn.functional.cross_entropy(scores, label)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            hits += (scores.argmax(1) == label).sum().item()
        print(f"epoch {epoch} loss {loss.item():.3f} acc {hits / len(data):.3f}")


main()
