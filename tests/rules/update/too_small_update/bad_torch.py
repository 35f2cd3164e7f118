import torch
from torch import nn

torch.manual_seed(0)
rooms = torch.randn(256, 4)
rent = rooms[:, :1] - 2 * rooms[:, 1:2]
model = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01 / len(rooms))

for step in range(60):
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(rooms), rent)
    loss.backward()
    optimizer.step()
