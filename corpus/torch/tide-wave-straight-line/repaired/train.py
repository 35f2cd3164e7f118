import torch
from torch import nn

torch.manual_seed(5)
hours = torch.rand(600, 1) * 4 - 2
level = torch.sin(3 * hours) + 0.05 * torch.randn(600, 1)


def block(a, b):
    return nn.Sequential(nn.Linear(a, b), nn.BatchNorm1d(b), nn.ReLU())


model = nn.Sequential(block(1, 40), block(40, 40), nn.Linear(40, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
criterion = nn.MSELoss()
for step in range(120):
    pick = torch.randint(0, 600, (100,))
    optimizer.zero_grad()
    loss = criterion(model(hours[pick]), level[pick])
    loss.backward()
    optimizer.step()
print("loss", round(loss.item(), 4))
