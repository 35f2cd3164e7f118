from dataclasses import dataclass

import torch
import torch.nn as nn
import torch.nn.functional as F


@dataclass
class Config:
    width: int = 40
    lr: float = 5e-3
    aux_weight: float = 0.0
    epochs: int = 12
    seed: int = 24


class Forecaster(nn.Module):
    """Next value of a series from its last twelve; a second head can guess the regime."""

    def __init__(self, cfg):
        super().__init__()
        self.rnn = nn.GRU(1, cfg.width, batch_first=True)
        self.value = nn.Linear(cfg.width, 1)
        self.regime = nn.Linear(cfg.width, 2)

    def forward(self, w):
        _, h = self.rnn(w.unsqueeze(-1))
        return self.value(h[-1]).squeeze(-1), self.regime(h[-1])


def windows(seed, n=400):
    g = torch.Generator().manual_seed(seed)
    regime = torch.randint(0, 2, (n,), generator=g)
    freq = torch.where(regime == 0, 0.3, 0.7)[:, None]
    t = torch.arange(13)[None] + 20 * torch.rand(n, 1, generator=g)
    s = torch.sin(freq * t) + 0.05 * torch.randn(n, 13, generator=g)
    return s[:, :12], s[:, 12], regime


def run(cfg):
    torch.manual_seed(cfg.seed)
    past, future, regime = windows(cfg.seed)
    model = Forecaster(cfg)
    opt = torch.optim.Adam(model.parameters(), lr=cfg.lr)
    for epoch in range(cfg.epochs):
        for idx in torch.randperm(len(past)).split(50):
            value, logits = model(past[idx])
            loss1 = F.mse_loss(value, future[idx])
            loss2 = F.cross_entropy(logits, regime[idx])
            loss = loss1 + cfg.aux_weight * loss2
            opt.zero_grad()
            loss.backward()
            opt.step()
        print(f"epoch {epoch} mse {loss1.item():.4f}")


run(Config())
