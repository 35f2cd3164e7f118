import torch
from torch import nn

torch.manual_seed(0)
left = torch.randn(64, 4)
right = torch.cat((left[:8], torch.randn(56, 4)))  # some pairs are the same
target = (left - right).abs().sum(dim=1)
model = nn.Linear(4, 6)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)

for step in range(30):
    optimizer.zero_grad()
    squares = (model(left) - model(right)).pow(2).sum(dim=1)
    loss = nn.functional.mse_loss(torch.sqrt(squares), target)
    loss.backward()
    optimizer.step()
