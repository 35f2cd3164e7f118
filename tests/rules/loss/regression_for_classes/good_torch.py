import torch
from torch import nn

torch.manual_seed(0)
species = torch.randint(0, 4, (160,))
flowers = torch.randn(4, 6)[species] + 0.3 * torch.randn(160, 6)
model = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 4))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

for step in range(30):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(flowers), species)
    loss.backward()
    optimizer.step()
