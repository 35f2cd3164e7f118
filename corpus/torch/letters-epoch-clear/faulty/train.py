import torch
from torch import nn, optim
from torch.utils.data import DataLoader, Dataset

from loops import run_epoch, run_eval


class Letters(Dataset):
    def __init__(self, n, seed):
        proto = torch.randn(10, 1, 9, 9, generator=torch.Generator().manual_seed(0))
        gen = torch.Generator().manual_seed(seed)
        self.y = torch.randint(0, 10, (n,), generator=gen)
        self.x = proto[self.y] + 1.5 * torch.randn(n, 1, 9, 9, generator=gen)

    def __len__(self):
        return len(self.y)

    def __getitem__(self, k):
        return self.x[k], self.y[k]


class LetterNet(nn.Sequential):
    def __init__(self):
        super().__init__(
            nn.Conv2d(1, 10, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(90, 10)
        )


def main():
    torch.manual_seed(8)
    train_loader = DataLoader(Letters(800, 1), batch_size=16, shuffle=True)
    test_loader = DataLoader(Letters(200, 2), batch_size=200)
    model = LetterNet()
    optimizer = optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    for epoch in range(4):
        loss, acc = run_epoch(model, train_loader, nn.CrossEntropyLoss(), optimizer)
        print(f"epoch {epoch}: loss {loss:.3f} acc {acc:.3f} test {run_eval(model, test_loader):.3f}")


main()
