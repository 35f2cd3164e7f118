import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from best import BestKeeper


class Trainer:
    def __init__(self, model, keeper, lr):
        self.model = model
        self.keeper = keeper
        self.epoch = 0
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=lr)
        self.loss_fn = nn.MSELoss()

    def train_epoch(self, loader):
        total = 0.0
        for x, y in loader:
            self.optimizer.zero_grad()
            loss = self.loss_fn(self.model(x), y)
            loss.backward()
            self.optimizer.step()
            total += loss.item()
        return total / len(loader)

    def fit(self, loader, epochs):
        for self.epoch in range(epochs):
            loss = self.train_epoch(loader)
            self.keeper.observe(self, loss)
            print(f"epoch {self.epoch:2d} loss {loss:.4f}")


def concrete(n):
    g = torch.Generator().manual_seed(15)
    mix = torch.rand(n, 8, generator=g)
    strength = 3 * mix[:, 0] - 2 * mix[:, 3] ** 2 + mix[:, 5] * mix[:, 6]
    return TensorDataset(mix, strength.unsqueeze(1))


if __name__ == "__main__":
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(8, 32), nn.SiLU(), nn.Linear(32, 1))
    loader = DataLoader(concrete(320), batch_size=40, shuffle=True)
    Trainer(net, BestKeeper(), lr=3e-3).fit(loader, 15)
