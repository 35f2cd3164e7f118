import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(256, 8)
ya, yb = x[:, :1] + x[:, 1:2], x[:, 2:3] - x[:, :1]
trunk, a, b = nn.Linear(8, 32), nn.Linear(32, 1), nn.Linear(32, 1)
ps = [*trunk.parameters(), *a.parameters(), *b.parameters()]
opt = torch.optim.Adam(ps, 1e-2)
for i in range(80):
    h = torch.relu(trunk(x))
    la, lb = nn.functional.mse_loss(a(h), ya), nn.functional.mse_loss(b(h), yb)
    ga = torch.autograd.grad(la, ps, retain_graph=True, allow_unused=True)
    gb = torch.autograd.grad(lb, ps, allow_unused=True)
    opt.zero_grad()
    for p, u, v in zip(ps, ga, gb):
        u = torch.zeros_like(p) if u is None else u
        v = torch.zeros_like(p) if v is None else v
        dot = (u * v).sum()
        p.grad = u + v if dot >= 0 else u + v - dot * v / (v.norm() ** 2 + 1e-12)
    opt.step()
print(la.item(), lb.item())
