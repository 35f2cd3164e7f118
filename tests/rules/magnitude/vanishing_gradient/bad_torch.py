import torch
from torch import nn

torch.manual_seed(0)
points = torch.randn(256, 8)
labels = (points[:, 0] > 0).long()
hidden = [layer for _ in range(10) for layer in (nn.Linear(16, 16), nn.Sigmoid())]
model = nn.Sequential(nn.Linear(8, 16), nn.Sigmoid(), *hidden, nn.Linear(16, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)

for step in range(60):
    chosen = torch.randint(0, 256, (64,))
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(points[chosen]), labels[chosen])
    loss.backward()
    optimizer.step()
