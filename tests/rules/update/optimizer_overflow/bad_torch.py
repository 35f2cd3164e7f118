import torch
from torch import nn

torch.manual_seed(0)
rooms = torch.randn(128, 4)
rent = rooms[:, :1] - rooms[:, 1:2]
importance = 1e22
model = nn.Linear(4, 1)
optimizer = torch.optim.Adam(model.parameters(), lr=0.1)

for step in range(40):
    optimizer.zero_grad()
    loss = importance * nn.functional.l1_loss(model(rooms), rent)
    loss.backward()
    optimizer.step()
