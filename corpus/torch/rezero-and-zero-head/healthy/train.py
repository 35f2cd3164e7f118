import torch
import torch.nn as nn


class ReZeroBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.f = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))
        self.alpha = nn.Parameter(torch.zeros(()))

    def forward(self, x):
        return x + self.alpha * self.f(x)


class DeepRegressor(nn.Module):
    def __init__(self, n_in, width=32, depth=5):
        super().__init__()
        self.stem = nn.Sequential(nn.Linear(n_in, width), nn.ReLU())
        self.blocks = nn.Sequential(*[ReZeroBlock(width) for _ in range(depth)])
        self.readout = nn.Linear(width, 1)
        nn.init.zeros_(self.readout.weight)
        nn.init.zeros_(self.readout.bias)

    def forward(self, x):
        return self.readout(self.blocks(self.stem(x))).flatten()


def friedman(n, g):
    x = torch.rand(n, 6, generator=g)
    y = 10 * torch.sin(torch.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]
    return 2 * x - 1, (y - 14.4) / 4.9


g = torch.Generator().manual_seed(99)
torch.manual_seed(99)
x, y = friedman(800, g)
xv, yv = friedman(200, g)
model = DeepRegressor(6)
opt = torch.optim.Adam(model.parameters(), lr=3e-3)
for epoch in range(25):
    for idx in torch.randperm(800, generator=g).split(80):
        loss = nn.functional.mse_loss(model(x[idx]), y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
    if epoch % 4 == 0:
        with torch.no_grad():
            r2 = 1 - ((model(xv) - yv) ** 2).mean() / yv.var()
        print(f"epoch {epoch} loss {loss.item():.4f} R2 {r2.item():.3f} alphas {[round(b.alpha.item(), 2) for b in model.blocks]}")
