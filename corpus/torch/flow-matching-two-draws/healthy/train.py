import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(3, 64), nn.SiLU(), nn.Linear(64, 2))
opt = torch.optim.Adam(net.parameters(), 3e-3)


def batch(n):
    a = torch.rand(n) * 6.28
    return torch.stack([a.cos(), a.sin()], 1) + 0.05 * torch.randn(n, 2)


for i in range(120):
    x1 = batch(128)
    x1 = x1 + 0.01 * torch.randn_like(x1)
    x0 = torch.randn_like(x1)
    t = torch.rand(128, 1)
    xt = (1 - t) * x0 + t * x1
    loss = ((net(torch.cat([xt, t], 1)) - (x1 - x0)) ** 2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
print(loss.item())
