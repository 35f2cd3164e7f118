import torch
from torch import nn

torch.manual_seed(0)
points = torch.randn(128, 4)
heights = points.sum(dim=1, keepdim=True)
model = nn.Linear(4, 1)
epochs = 30
temperature = torch.tensor(0.0)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1 / temperature)

for step in range(epochs):
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(points), heights)
    loss.backward()
    optimizer.step()
