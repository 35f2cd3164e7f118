import torch
from torch import nn

torch.manual_seed(0)
points = torch.randn(128, 4)
labels = (points[:, 0] > 0).long()
model = nn.Linear(4, 2)
start = torch.zeros(128, 2, requires_grad=True)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

for step in range(30):
    optimizer.zero_grad()
    output = model(points)
    loss = nn.functional.cross_entropy(start + output, labels)
    loss.backward()
    optimizer.step()
