import torch
from torch import nn
from torch.nn import functional as F


class BrierLoss(nn.Module):
    def forward(self, logits, labels):
        p = F.softmax(logits, dim=-1)
        return ((p - F.one_hot(labels, logits.size(-1))) ** 2).sum(-1).mean()


def weather(n):
    pressure, humidity, wind = torch.randn(3, n)
    rain = 1.5 * humidity - pressure
    storm = 1.5 * wind - 1.2 * pressure - 0.5
    y = torch.stack([torch.zeros(n), rain, storm], 1).add(0.3 * torch.randn(n, 3)).argmax(1)
    return torch.stack([pressure, humidity, wind], 1), y


def reliability(p, y, bins=5):
    conf, pred = p.max(1)
    gap = 0.0
    for b in range(bins):
        m = (conf > b / bins) & (conf <= (b + 1) / bins)
        if m.any():
            gap += m.float().mean().item() * abs(conf[m].mean().item() - (pred[m] == y[m]).float().mean().item())
    return gap


torch.manual_seed(91)
x, y = weather(900)
net = nn.Sequential(nn.Linear(3, 24), nn.ReLU(), nn.Linear(24, 3))
criterion = BrierLoss()
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
for epoch in range(12):
    for idx in torch.randperm(720).split(60):
        loss = criterion(net(x[idx]), y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
    with torch.no_grad():
        p = net(x[720:]).softmax(1)
    print(f"epoch {epoch} brier {loss.item():.3f} acc {(p.argmax(1) == y[720:]).float().mean():.3f} calibration gap {reliability(p, y[720:]):.3f}")
