import torch
from torch import nn

torch.manual_seed(0)
flowers = torch.randn(150, 4)
species = flowers[:, :3].argmax(dim=1)
model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3), nn.LogSoftmax(dim=0))
criterion = nn.NLLLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

for step in range(30):
    optimizer.zero_grad()
    loss = criterion(model(flowers), species)
    loss.backward()
    optimizer.step()
