import torch
from torch import nn


def weighted_error(prediction, target, weights):
    error = prediction - target
    return torch.mean(weights * error**2)


torch.manual_seed(0)
rooms = torch.randn(100, 3)
rent = rooms.sum(dim=1, keepdim=True)
weights = torch.linspace(0.5, 1.5, 100)[:, None]
model = nn.Linear(3, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

for step in range(30):
    optimizer.zero_grad()
    loss = weighted_error(model(rooms), rent, weights)
    loss.backward()
    optimizer.step()
