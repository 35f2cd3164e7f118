import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
points = torch.randn(256, 8)
labels = (points[:, 0] > 0).long()
loader = DataLoader(TensorDataset(points, labels), batch_size=16)
model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

for step in range(40):
    inputs, kinds = next(iter(loader))
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(inputs), kinds)
    loss.backward()
    optimizer.step()
