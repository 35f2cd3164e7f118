import torch
from torch import nn


def derivative(u, t):
    return torch.autograd.grad(u, t, grad_outputs=torch.ones_like(u), create_graph=True)[0]


class Ansatz(nn.Module):
    def __init__(self, width=32):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(1, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1))

    def forward(self, t):
        return self.net(t)


def residual(model, t):
    t = t.clone().requires_grad_(True)
    u = model(t)
    du = derivative(u, t)
    d2u = derivative(du, t)
    return d2u + 4 * u


torch.manual_seed(10)
model = Ansatz()
opt = torch.optim.Adam(model.parameters(), lr=1e-2)
sched = torch.optim.lr_scheduler.ExponentialLR(opt, 0.995)
colloc = torch.linspace(0, 1.5, 40).unsqueeze(1)
zero = torch.zeros(1, 1)
for it in range(400):
    f = residual(model, colloc)
    t0 = zero.clone().requires_grad_()
    u0 = model(t0)
    v0 = derivative(u0, t0)
    physics = nn.functional.mse_loss(f, torch.zeros_like(f))
    start = (u0 - 1).pow(2).mean() + v0.pow(2).mean()
    loss = physics + 5 * start
    opt.zero_grad()
    loss.backward()
    opt.step()
    sched.step()
    if it % 80 == 0 or it == 399:
        with torch.no_grad():
            err = (model(colloc) - torch.cos(2 * colloc)).abs().max()
        print(f"{it:4d} physics {physics.item():.4f} start {start.item():.5f} largest error {err:.3f}")
