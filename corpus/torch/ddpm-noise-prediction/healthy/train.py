import torch
from torch import nn


class Schedule:
    def __init__(self, steps=40):
        self.steps = steps
        self.beta = torch.linspace(1e-3, 0.12, steps)
        self.alpha = 1 - self.beta
        self.abar = self.alpha.cumprod(0)

    def diffuse(self, x0, t, noise):
        a = self.abar[t][:, None]
        return a.sqrt() * x0 + (1 - a).sqrt() * noise


class Denoiser(nn.Module):
    def __init__(self, steps, width=64):
        super().__init__()
        self.time = nn.Embedding(steps, width)
        self.inp = nn.Linear(2, width)
        self.mid = nn.Linear(width, width)
        self.out = nn.Linear(width, 2)

    def forward(self, x, t):
        h = nn.functional.silu(self.inp(x) + self.time(t))
        return self.out(nn.functional.silu(self.mid(h)))


@torch.no_grad()
def generate(model, sch, n):
    x = torch.randn(n, 2)
    for t in reversed(range(sch.steps)):
        eps = model(x, torch.full((n,), t))
        x = (x - sch.beta[t] / (1 - sch.abar[t]).sqrt() * eps) / sch.alpha[t].sqrt()
        if t:
            x = x + sch.beta[t].sqrt() * torch.randn_like(x)
    return x


if __name__ == "__main__":
    torch.manual_seed(64)
    corners = torch.tensor([[1.0, 1.0], [-1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]])
    data = corners[torch.randint(0, 4, (2000,))] + 0.08 * torch.randn(2000, 2)
    sch = Schedule()
    model = Denoiser(sch.steps)
    opt = torch.optim.Adam(model.parameters(), lr=4e-3)
    running = 1.0
    for step in range(400):
        x0 = data[torch.randint(0, 2000, (128,))]
        t = torch.randint(0, sch.steps, (128,))
        noise = torch.randn_like(x0)
        loss = nn.functional.mse_loss(model(sch.diffuse(x0, t, noise), t), noise)
        opt.zero_grad()
        loss.backward()
        opt.step()
        running = 0.98 * running + 0.02 * loss.item()
        if step % 80 == 79:
            d = torch.cdist(generate(model, sch, 300), corners).amin(1).mean().item()
            print(f"step {step + 1} loss {running:.3f} distance of samples to the corners {d:.3f}")
