import torch
from torch import nn

torch.manual_seed(0)
rooms = torch.randn(100, 3)
rent = rooms.sum(dim=1, keepdim=True)
weights = torch.rand(100, 1)
model = nn.Linear(3, 1)
criterion = nn.MSELoss(reduction="none")
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

for step in range(30):
    optimizer.zero_grad()
    loss = (weights * criterion(model(rooms), rent)).mean()
    loss.backward()
    optimizer.step()
