import torch
from torch import nn

torch.manual_seed(0)
points = torch.randn(256, 8)
labels = (points[:, 0] > 0).long()
model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.02)

for step in range(40):
    chosen = torch.randint(0, 256, (32,))
    optimizer.zero_grad()
    penalty = sum(weight.pow(2).sum() for weight in model.parameters())
    loss = nn.functional.cross_entropy(model(points[chosen]), labels[chosen]) + 10.0 * penalty
    loss.backward()
    optimizer.step()
