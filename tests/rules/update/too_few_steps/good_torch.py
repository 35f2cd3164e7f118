import torch
from torch import nn

torch.manual_seed(0)
speed = torch.randn(128, 3)
range_left = speed @ torch.tensor([[2.0], [-1.0], [0.5]])
model = nn.Linear(3, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.0015)
for step in range(3000):
    loss = nn.functional.mse_loss(model(speed), range_left)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
