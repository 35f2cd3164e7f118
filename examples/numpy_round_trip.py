"""The loss is computed in NumPy and wrapped again: `backward` raises, a few lines after the fault."""

import numpy as np
import torch
from torch import nn


def weighted_error(prediction, target, weights):
    difference = prediction.detach().numpy() - target.numpy()
    return torch.tensor(np.mean(weights * difference**2), dtype=torch.float32)


torch.manual_seed(0)
x = torch.randn(200, 6)
y = x @ torch.randn(6, 1)
weights = np.linspace(0.5, 1.5, 200)[:, None]
model = nn.Linear(6, 1)
optimizer = torch.optim.Adam(model.parameters(), lr=0.05)

for _ in range(50):
    optimizer.zero_grad()
    loss = weighted_error(model(x), y, weights)
    loss.backward()
    optimizer.step()
