import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from metrics import smape

CONFIG = dict(epochs=10, batch=32, lr=5e-3, window=12, hidden=32)


def make_windows(cfg):
    rng = np.random.default_rng(4)
    t = np.arange(700)
    load = 3 + np.sin(t * 2 * np.pi / 24) + 0.4 * np.sin(t * 2 * np.pi / 7) + rng.normal(0, 0.03, t.size)
    w = cfg["window"]
    x = np.stack([load[i:i + w] for i in range(len(load) - w)])
    y = load[w:][:, None]
    return TensorDataset(torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32))


class Forecaster(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(cfg["window"], cfg["hidden"]), nn.ReLU(), nn.Linear(cfg["hidden"], 1)
        )

    def forward(self, x):
        return self.body(x - 3) + 2


def fit(cfg):
    torch.manual_seed(0)
    loader = DataLoader(make_windows(cfg), batch_size=cfg["batch"], shuffle=True)
    model = Forecaster(cfg)
    opt = torch.optim.Adam(model.parameters(), lr=cfg["lr"])
    for epoch in range(cfg["epochs"]):
        running = []
        for x, y in loader:
            opt.zero_grad()
            loss = smape(model(x), y)
            loss.backward()
            opt.step()
            running.append(loss.item())
        print(f"[{epoch + 1}/{cfg['epochs']}] smape {np.mean(running):.4f}")
    return model


if __name__ == "__main__":
    fit(CONFIG)
