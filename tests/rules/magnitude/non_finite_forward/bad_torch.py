import torch
from torch import nn

torch.manual_seed(0)
sizes = torch.randn(128, 4)
counts = torch.randint(0, 5, (128,)).float()
model = nn.Linear(4, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

for step in range(30):
    optimizer.zero_grad()
    rate = torch.relu(model(sizes)).squeeze(1)
    loss = (rate - counts * torch.log(rate)).mean()
    loss.backward()
    optimizer.step()
