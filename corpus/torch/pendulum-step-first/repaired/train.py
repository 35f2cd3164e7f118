import torch
from torch import nn


class Dynamics(nn.Module):
    def __init__(self, width=32):
        super().__init__()
        self.f = nn.Sequential(nn.Linear(2, width), nn.Softplus(), nn.Linear(width, 2))

    def forward(self, state):
        return state + self.f(state)


def swing(state, dt=0.1):
    angle, speed = state.unbind(-1)
    return torch.stack([angle + dt * speed, speed - dt * 9.8 * angle.sin()], -1)


def learn(model, optimizer, iterations, gen):
    for it in range(iterations):
        optimizer.zero_grad()
        state = torch.randn(64, 2, generator=gen)
        loss = nn.functional.mse_loss(model(state), swing(state))
        loss.backward()
        optimizer.step()
        if it % 30 == 29:
            print(f"iteration {it + 1}: {loss.item():.5f}")


torch.manual_seed(33)
model = Dynamics()
learn(model, torch.optim.Adam(model.parameters(), lr=0.01), 150, torch.Generator().manual_seed(33))
