import torch
from torch import nn

torch.manual_seed(0)
images = torch.rand(64, 1, 8, 8)
digits = images.flatten(1)[:, :10].argmax(dim=1)
model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

for step in range(30):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(images), digits)
    loss.backward()
    optimizer.step()
