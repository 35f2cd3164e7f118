import torch
from torch import nn

from pinball import pinball


class DemandModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(5, 16)
        self.b = nn.Linear(16, 1)

    def forward(self, x):
        return self.b(torch.tanh(self.a(x))).squeeze(1)


def demand(n, gen):
    x = torch.randn(n, 5, generator=gen)
    return x, x[:, 0] - 2 * x[:, 1] + 0.3 * torch.randn(n, generator=gen)


def fit(steps=120):
    torch.manual_seed(4)
    gen = torch.Generator().manual_seed(4)
    model = DemandModel()
    opt = torch.optim.Adam(model.parameters(), lr=0.02)
    for step in range(1, steps + 1):
        x, y = demand(64, gen)
        opt.zero_grad()
        loss = pinball(model(x), y)
        loss.backward()
        opt.step()
        if step % 20 == 0:
            print(f"step {step:3d} pinball {loss.item():.4f}")


fit()
