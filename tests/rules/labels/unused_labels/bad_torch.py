import torch
from torch import nn
from torch.nn import functional as F


def classification_loss(output, labels):
    likeliest = output.argmax(dim=1)
    return F.cross_entropy(output, likeliest)


torch.manual_seed(0)
points = torch.randn(200, 4)
labels = (points[:, 0] > 0).long()
model = nn.Linear(4, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

for step in range(30):
    optimizer.zero_grad()
    loss = classification_loss(model(points), labels)
    loss.backward()
    optimizer.step()
