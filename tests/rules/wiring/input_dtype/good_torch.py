import numpy as np
import torch
from torch import nn

torch.manual_seed(0)
table = np.random.default_rng(0).normal(size=(128, 4))
rooms = torch.from_numpy(table).float()
rent = rooms.sum(dim=1, keepdim=True).float()
model = nn.Linear(4, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

for step in range(30):
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(rooms), rent)
    loss.backward()
    optimizer.step()
