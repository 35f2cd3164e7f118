import torch
from torch import nn

torch.manual_seed(0)
rooms = torch.randn(100, 3)
rent = rooms @ torch.tensor([1.0, -2.0, 0.5])
model = nn.Linear(3, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

for step in range(50):
    optimizer.zero_grad()
    error = model(rooms) - rent
    loss = error.pow(2).mean()
    loss.backward()
    optimizer.step()
