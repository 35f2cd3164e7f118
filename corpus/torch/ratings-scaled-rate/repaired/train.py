import torch
from torch import nn

from config import config


class Factoriser(nn.Module):
    def __init__(self, users, items, rank):
        super().__init__()
        self.p = nn.Embedding(users, rank)
        self.q = nn.Embedding(items, rank)
        self.bias = nn.Parameter(torch.zeros(()))

    def forward(self, u, i):
        return (self.p(u) * self.q(i)).sum(1) + self.bias


def ratings(users=20, items=15, count=1280):
    g = torch.Generator().manual_seed(1)
    a, b = torch.randn(users, 2, generator=g), torch.randn(items, 2, generator=g)
    u = torch.randint(0, users, (count,), generator=g)
    i = torch.randint(0, items, (count,), generator=g)
    return u, i, 3 + (a[u] * b[i]).sum(1)


def main():
    torch.manual_seed(0)
    u, i, r = ratings()
    model = Factoriser(20, 15, config["rank"])
    optimizer = torch.optim.SGD(model.parameters(), lr=config["lr"])
    for epoch in range(config["epochs"]):
        err = 0.0
        for k in torch.randperm(len(r)).split(config["batch_size"]):
            loss = nn.functional.mse_loss(model(u[k], i[k]), r[k])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            err += loss.item() * len(k)
        print(f"epoch {epoch} rmse {(err / len(r)) ** 0.5:.4f}")


main()
