import torch
from torch import nn

torch.manual_seed(0)
points = torch.randn(200, 4)
labels = (points[:, 0] > 0).float()
model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1), nn.Sigmoid())
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)

for step in range(30):
    optimizer.zero_grad()
    guess = torch.round(model(points)).squeeze(1)
    loss = criterion(guess, labels)
    loss.backward()
    optimizer.step()
