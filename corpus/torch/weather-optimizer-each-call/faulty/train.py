import torch
from torch import nn

import steps

SETTINGS = {"lr": 2e-3, "momentum": 0.95}


def stations(gen, n=40):
    x = torch.randn(n, 6, generator=gen)
    return x, (x @ torch.tensor([1.0, -0.5, 0.3, 0.0, 0.8, -1.2]))[:, None]


torch.manual_seed(9)
gen = torch.Generator().manual_seed(9)
model = nn.Sequential(nn.Linear(6, 24), nn.Tanh(), nn.Linear(24, 1))
window = []
for i in range(1, 151):
    window.append(steps.train_step(model, stations(gen), SETTINGS))
    if i % 25 == 0:
        print(f"step {i}: mse {sum(window[-25:]) / 25:.4f}")
