import torch
from torch import nn

torch.manual_seed(0)
rooms = torch.randn(256, 3)
price = 250_000 + 80_000 * rooms[:, :1] - 30_000 * rooms[:, 1:2]
model = nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

for step in range(40):
    chosen = torch.randint(0, 256, (64,))
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(rooms[chosen]), price[chosen])
    loss.backward()
    optimizer.step()
