import torch
from torch import nn

torch.manual_seed(0)
series = torch.randn(20, 16, 3)
next_values = series.roll(-1, dims=0)[:, :, 0]
cell, out = nn.GRUCell(3, 8), nn.Linear(8, 1)
optimizer = torch.optim.Adam([*cell.parameters(), *out.parameters()], lr=0.01)
state = torch.zeros(16, 8)

for values, target in zip(series, next_values):
    optimizer.zero_grad()
    state = cell(values, state.detach())
    loss = nn.functional.mse_loss(out(state).squeeze(1), target)
    loss.backward()
    optimizer.step()
