import torch
from torch import nn

from mdn.head import MixtureHead, likelihood_loss


class ArrivalModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(2, 32), nn.Tanh())
        self.head = MixtureHead(32)

    def forward(self, x):
        return self.head(self.trunk(x))


def arrivals(n, g):
    x = torch.rand(n, 2, generator=g) * 2 - 1
    late = torch.rand(n, generator=g) < 0.3
    y = x[:, 0] + 0.5 * x[:, 1] + 2.0 * late + 0.1 * torch.randn(n, generator=g)
    return x, y


def main():
    torch.manual_seed(305)
    g = torch.Generator().manual_seed(305)
    model = ArrivalModel()
    opt = torch.optim.Adam(model.parameters(), lr=0.01)
    for step in range(120):
        x, y = arrivals(64, g)
        loss = likelihood_loss(model(x), y)
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        opt.step()
        if step % 20 == 0:
            print(step, round(loss.item(), 3))
    x, y = arrivals(400, g)
    with torch.no_grad():
        print("mean log-likelihood", model(x).log_prob(y).mean().item())


main()
