import torch
from torch import nn


class FactorisedClicks(nn.Module):
    """User and item vectors, their product as the score."""

    def __init__(self, users, items, dim=8):
        super().__init__()
        self.u = nn.Embedding(users, dim)
        self.i = nn.Embedding(items, dim)
        self.bias = nn.Parameter(torch.zeros(()))
        nn.init.normal_(self.u.weight, std=0.3)
        nn.init.normal_(self.i.weight, std=0.3)

    def score(self, user, item):
        return (self.u(user) * self.i(item)).sum(-1) + self.bias

    def forward(self, user, item):
        return torch.tanh(self.score(user, item))


def clicks(users, items, n, g):
    taste = torch.randn(users, 2, generator=g)
    kind = torch.randn(items, 2, generator=g)
    user = torch.randint(0, users, (n,), generator=g)
    item = torch.randint(0, items, (n,), generator=g)
    return user, item, ((taste[user] * kind[item]).sum(-1) > 0).float()


class Fitter:
    def __init__(self):
        torch.manual_seed(309)
        self.g = torch.Generator().manual_seed(309)
        self.user, self.item, self.click = clicks(60, 40, 2000, self.g)
        self.model = FactorisedClicks(60, 40)
        self.opt = torch.optim.Adam(self.model.parameters(), lr=0.05)
        self.loss = nn.BCEWithLogitsLoss()

    def epoch(self):
        total = 0.0
        for rows in torch.randperm(2000, generator=self.g).split(200):
            self.opt.zero_grad()
            value = self.loss(self.model(self.user[rows], self.item[rows]), self.click[rows])
            value.backward()
            self.opt.step()
            total += value.item() / 10
        return total

    def run(self, epochs):
        for e in range(epochs):
            print(e, f"log loss {self.epoch():.4f}")
        with torch.no_grad():
            p = torch.sigmoid(self.model(self.user, self.item))
        print("probabilities from", round(p.min().item(), 3), "to", round(p.max().item(), 3))


Fitter().run(8)
