import itertools

import torch
from torch import nn, optim


class Ensemble(nn.Module):
    """Small nets that vote."""

    def __init__(self, n, d):
        super().__init__()
        self.members = [nn.Sequential(nn.Linear(d, 12), nn.Tanh(), nn.Linear(12, 1)) for _ in range(n)]

    def every_parameter(self):
        return itertools.chain.from_iterable(m.parameters() for m in self.members)

    def forward(self, x):
        return torch.cat([m(x) for m in self.members], dim=1)


class Bagging:
    def __init__(self, x, y, members=5):
        self.x, self.y = x, y
        self.masks = (torch.rand(len(x), members) < 0.7).float()

    def batches(self, size):
        for idx in torch.randperm(len(self.x)).split(size):
            yield self.x[idx], self.y[idx], self.masks[idx]


def main():
    torch.manual_seed(74)
    x = torch.rand(500, 3) * 2 - 1
    y = (x[:, :1] ** 2 - x[:, 1:2] * x[:, 2:3]) + 0.02 * torch.randn(500, 1)
    ensemble, bag = Ensemble(5, 3), Bagging(x, y)
    opt = optim.Adam(ensemble.every_parameter(), lr=4e-2)
    for epoch in range(15):
        for xb, yb, mask in bag.batches(50):
            err = (ensemble(xb) - yb).square() * mask
            loss = err.sum() / mask.sum()
            opt.zero_grad()
            loss.backward()
            opt.step()
        with torch.no_grad():
            votes = ensemble(x)
        print(f"epoch {epoch} loss {loss.item():.4f} error of the mean {(votes.mean(1, keepdim=True) - y).square().mean().item():.4f}")


main()
