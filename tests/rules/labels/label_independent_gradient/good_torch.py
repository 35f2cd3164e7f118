import torch
from torch import nn


def error_rate(output, labels):
    wrong = nn.functional.cross_entropy(output, labels)
    spread = output.pow(2).mean()
    return wrong + 0.01 * spread


torch.manual_seed(0)
points = torch.randn(200, 4)
labels = (points[:, 0] > 0).long()
model = nn.Linear(4, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)

for step in range(30):
    optimizer.zero_grad()
    loss = error_rate(model(points), labels)
    loss.backward()
    optimizer.step()
