import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from zoo import SmallVGG


class Signs(Dataset):
    classes = [f"sign_{i}" for i in range(12)]

    def __init__(self, n=360, seed=312):
        g = torch.Generator().manual_seed(seed)
        self.targets = torch.randint(0, len(self.classes), (n,), generator=g)
        board = torch.randn(len(self.classes), 3, 3, 3, generator=g)
        board = nn.functional.interpolate(board, scale_factor=4)
        self.data = board[self.targets] + 0.4 * torch.randn(n, 3, 12, 12, generator=g)

    def __len__(self):
        return len(self.targets)

    def __getitem__(self, i):
        return self.data[i], self.targets[i]


def main():
    torch.manual_seed(312)
    signs = Signs()
    model = SmallVGG(num_classes=len(signs.classes))
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for epoch in range(6):
        right = 0
        for x, y in DataLoader(signs, 36, shuffle=True):
            out = model(x)
            loss = criterion(out, y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            right += (out.argmax(1) == y).sum().item()
        print(f"epoch {epoch} loss {loss.item():.3f} acc {right / len(signs):.3f}")


main()
