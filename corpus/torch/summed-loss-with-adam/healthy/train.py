import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset


class SetEncoder(nn.Module):
    """Permutation-invariant: area of the box around a set of points."""

    def __init__(self):
        super().__init__()
        self.phi = nn.Sequential(nn.Linear(2, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU())
        self.rho = nn.Sequential(nn.Linear(48, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, points):
        return self.rho(self.phi(points).amax(1)).squeeze(-1)


def boxes(n):
    size = 0.3 + torch.rand(n, 1, 2)
    points = (torch.rand(n, 12, 2) - 0.5) * size
    extent = points.amax(1) - points.amin(1)
    return points, extent.prod(1)


torch.manual_seed(82)
points, area = boxes(640)
loader = DataLoader(TensorDataset(points[:512], area[:512]), batch_size=32, shuffle=True)
model = SetEncoder()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
criterion = nn.MSELoss(reduction="sum")
variance = area.var().item()
for epoch in range(12):
    total = 0.0
    for x, y in loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item()
    with torch.no_grad():
        test = criterion(model(points[512:]), area[512:]).item() / 128
    print(f"epoch {epoch} train mse {total / 512:.5f} test R2 {1 - test / variance:.3f}")
