"""Layers in a plain list: they run, and no optimizer ever gets them."""

import torch
from torch import nn


class Tower(nn.Module):
    def __init__(self, width=24, depth=3):
        super().__init__()
        self.first = nn.Linear(8, width)
        self.blocks = [nn.Linear(width, width) for _ in range(depth)]
        self.last = nn.Linear(width, 1)

    def forward(self, x):
        x = torch.relu(self.first(x))
        for block in self.blocks:
            x = torch.relu(block(x))
        return self.last(x)


torch.manual_seed(0)
x = torch.randn(256, 8)
y = (x[:, :4].prod(1, keepdim=True) > 0).float()
model = Tower()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

for epoch in range(40):
    optimizer.zero_grad()
    loss = nn.functional.binary_cross_entropy_with_logits(model(x), y)
    loss.backward()
    optimizer.step()
print(f"loss {loss.item():.3f}")
