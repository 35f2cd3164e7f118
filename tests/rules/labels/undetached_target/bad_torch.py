import torch
from torch import nn

torch.manual_seed(0)
states = torch.randn(256, 4)
rewards = states[:, 0]
next_states = 0.9 * states + 0.1 * torch.randn(256, 4)
value = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 1))
optimizer = torch.optim.Adam(value.parameters(), lr=0.01)

for step in range(60):
    chosen = torch.randint(0, 256, (64,))
    optimizer.zero_grad()
    target = rewards[chosen] + 0.9 * value(next_states[chosen]).squeeze(1)
    loss = nn.functional.mse_loss(value(states[chosen]).squeeze(1), target)
    loss.backward()
    optimizer.step()
