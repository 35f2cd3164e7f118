import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from engine import Engine


def garments(n, g):
    y = torch.randint(0, 7, (n,), generator=g)
    cloth = torch.randn(7, 1, 10, 10, generator=g)
    return TensorDataset(0.7 * cloth[y] + torch.randn(n, 1, 10, 10, generator=g), y)


def main():
    torch.manual_seed(301)
    data = garments(448, torch.Generator().manual_seed(301))
    loader = DataLoader(data, 32, shuffle=True)
    model = nn.Sequential(nn.Conv2d(1, 6, 3), nn.ReLU(), nn.Flatten(), nn.Linear(6 * 64, 7))
    engine = Engine(model, torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9), nn.CrossEntropyLoss())
    for epoch in range(5):
        loss = engine.train(loader)
        print(f"epoch {epoch} loss {loss:.6f} accuracy {engine.test(loader):.3f}")


if __name__ == "__main__":
    main()
