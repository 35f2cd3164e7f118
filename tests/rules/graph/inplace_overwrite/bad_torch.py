import torch
from torch import nn

torch.manual_seed(0)
points = torch.randn(128, 4)
heights = points[:, :1].sigmoid()
inner, outer = nn.Linear(4, 8), nn.Linear(8, 1)
optimizer = torch.optim.Adam([*inner.parameters(), *outer.parameters()], lr=0.01)

for step in range(30):
    optimizer.zero_grad()
    hidden = torch.sigmoid(inner(points))
    hidden += 0.1
    loss = nn.functional.mse_loss(outer(hidden), heights)
    loss.backward()
    optimizer.step()
