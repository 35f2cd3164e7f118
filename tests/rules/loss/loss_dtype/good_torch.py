import torch
from torch import nn

torch.manual_seed(0)
patients = torch.randn(200, 6)
ill = (patients[:, 0] > 0.5).float()
model = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 1), nn.Flatten(0))
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

for step in range(30):
    optimizer.zero_grad()
    loss = criterion(model(patients), ill)
    loss.backward()
    optimizer.step()
