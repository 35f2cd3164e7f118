import math
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class InitialState(TensorDataset):
    """Points (x, y, t=0) with the field value there."""

    def __init__(self, n):
        xyt = torch.rand(n, 3) * 2 - 1
        xyt[:, 2] = 0
        field = torch.sin(math.pi * xyt[:, 0]) * torch.cos(0.5 * math.pi * xyt[:, 1])
        super().__init__(xyt, field)


class InitialConditionLoss:
    def __init__(self, norm=None, weight=1.0):
        self.norm = norm or nn.MSELoss()
        self.weight = weight

    def __call__(self, x, model, expected):
        prediction = model(x).reshape(-1)
        return self.weight * self.norm(prediction, expected)


class Surrogate(nn.Module):
    def __init__(self, width=32):
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(3, width), nn.Tanh(),
            nn.Linear(width, width), nn.Tanh(),
            nn.Linear(width, 1),
        )

    def forward(self, x):
        return self.body(x)


def solve(epochs=14):
    torch.manual_seed(17)
    points = InitialState(512)
    model = Surrogate()
    condition = InitialConditionLoss()
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
    for epoch in range(epochs):
        for x, u in DataLoader(points, batch_size=64, shuffle=True):
            loss = condition(x, model, u)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        print("epoch", epoch, "initial condition", round(loss.item(), 4))
    with torch.no_grad():
        x, u = points.tensors
        print("rms error", (model(x).flatten() - u).pow(2).mean().sqrt().item(), "field std", u.std().item())


solve()
