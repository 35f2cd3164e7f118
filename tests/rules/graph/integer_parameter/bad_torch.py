import torch
from torch import nn

torch.manual_seed(0)
steepness = torch.tensor([2, 1, 3], requires_grad=True)
optimizer = torch.optim.SGD([steepness], lr=0.1)

for step in range(20):
    inputs = torch.randn(32, 3)
    wanted = inputs.sum(dim=1)
    optimizer.zero_grad()
    loss = ((inputs @ steepness - wanted) ** 2).mean()
    loss.backward()
    optimizer.step()
