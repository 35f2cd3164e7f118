import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from blocks import mlp


class LifetimeModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = mlp([6, 32, 16, 1], output="sigmoid")

    def forward(self, x):
        return self.net(x).squeeze(-1)


def turbines(n):
    x = torch.randn(n, 6)
    years = 15 + 4 * x[:, 0] - 3 * x[:, 1] + 2 * torch.sin(2 * x[:, 2])
    return TensorDataset(x, years.clamp(2, 30))


torch.manual_seed(307)
data = turbines(400)
model = LifetimeModel()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
loss_fn = nn.SmoothL1Loss()
for epoch in range(10):
    for x, years in DataLoader(data, 40, shuffle=True):
        loss = loss_fn(model(x), years)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} error {loss.item():.3f}")
x, years = data.tensors
with torch.no_grad():
    print("predictions", model(x)[:5].tolist(), "years", years[:5].tolist())
