from types import SimpleNamespace

import torch
from torch import nn

cfg = SimpleNamespace(steps=150, batch=48, max_lr=3.0, hidden=20, seed=29)


class GaitNet(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.flat = nn.Flatten()
        self.fc1 = nn.Linear(48, hidden)
        self.fc2 = nn.Linear(hidden, hidden)
        self.fc3 = nn.Linear(hidden, 3)

    def forward(self, x):
        x = torch.relu(self.fc1(self.flat(x)))
        return self.fc3(torch.relu(self.fc2(x)))


def walk(n, gen):
    y = torch.randint(0, 3, (n,), generator=gen)
    noise = 0.5 * torch.randn(n, 16, 3, generator=gen)
    tilt = torch.nn.functional.one_hot(y, 3).float().unsqueeze(1)
    return noise + 0.5 * tilt, y


torch.manual_seed(cfg.seed)
gen = torch.Generator().manual_seed(cfg.seed)
net = GaitNet(cfg.hidden)
optimizer = torch.optim.Adam(net.parameters())
scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=cfg.max_lr, total_steps=cfg.steps, pct_start=0.4)
recent = []
for step in range(1, cfg.steps + 1):
    x, y = walk(cfg.batch, gen)
    out = net(x)
    loss = nn.functional.cross_entropy(out, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    scheduler.step()
    recent.append((out.argmax(1) == y).float().mean().item())
    if step % 25 == 0:
        print(f"step {step} loss {loss.item():.3f} acc {sum(recent[-25:]) / 25:.3f}")
