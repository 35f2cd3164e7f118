import torch
from torch import nn

torch.manual_seed(0)
points = torch.randn(256, 8)
labels = (points[:, 0] > 0).long()
model = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

for epoch in range(3):
    for step in range(8):
        chosen = torch.randint(0, 256, (32,))
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(points[chosen]), labels[chosen])
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        accuracy = (model(points).argmax(dim=1) == labels).float().mean()
