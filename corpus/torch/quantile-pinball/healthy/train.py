import torch
import torch.nn as nn


class PinballLoss(nn.Module):
    def __init__(self, quantiles):
        super().__init__()
        self.register_buffer("q", torch.tensor(quantiles))

    def forward(self, pred, target):
        diff = target.unsqueeze(1) - pred
        return torch.maximum(self.q * diff, (self.q - 1) * diff).sum(1).mean()


def demand(n):
    hour = torch.rand(n, 1) * 24
    noise = torch.randn(n, 1) * (0.1 + 0.03 * hour)
    load = torch.sin(hour / 24 * 6.2832) + noise
    return torch.cat([torch.sin(hour / 3.82), torch.cos(hour / 3.82), hour / 12 - 1], 1), load.squeeze(1)


torch.manual_seed(36)
x, y = demand(1000)
quantiles = [0.1, 0.5, 0.9]
net = nn.Sequential(nn.Linear(3, 32), nn.ELU(), nn.Linear(32, len(quantiles)))
criterion = PinballLoss(quantiles)
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
for epoch in range(15):
    for idx in torch.randperm(1000).split(100):
        loss = criterion(net(x[idx]), y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
    with torch.no_grad():
        cover = (y[:, None] <= net(x)).float().mean(0).tolist()
    print(f"epoch {epoch} pinball {loss.item():.4f} coverage {[round(c, 2) for c in cover]}")
