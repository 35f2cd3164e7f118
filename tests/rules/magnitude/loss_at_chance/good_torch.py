import torch
from torch import nn

torch.manual_seed(0)
points = torch.rand(256, 2) - 0.5
labels = (points[:, 0] * points[:, 1] > 0).long()
model = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 2))
optimizer = torch.optim.Adam(model.parameters(), lr=0.05)

for step in range(150):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(points), labels)
    loss.backward()
    optimizer.step()
