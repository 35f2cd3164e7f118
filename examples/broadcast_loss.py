"""A column of predictions meets a row of targets: every prediction is compared with every target."""

import torch
from torch import nn

torch.manual_seed(0)
rooms = torch.rand(128, 5)
prices = rooms @ torch.tensor([3.0, -1.0, 2.0, 0.5, 1.0])

model = nn.Sequential(nn.Linear(5, 24), nn.ReLU(), nn.Linear(24, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=0.02)

for epoch in range(60):
    optimizer.zero_grad()
    predicted = model(rooms)
    loss = ((predicted - prices) ** 2).mean()
    loss.backward()
    optimizer.step()
    if epoch % 20 == 19:
        print(f"epoch {epoch + 1}: loss {loss.item():.3f}")
