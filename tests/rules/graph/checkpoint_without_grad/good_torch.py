import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

torch.manual_seed(0)
points = torch.randn(128, 8)
labels = (points[:, 0] > 0).long()
block, head = nn.Sequential(nn.Linear(8, 16), nn.Tanh()), nn.Linear(16, 2)
optimizer = torch.optim.Adam([*block.parameters(), *head.parameters()], lr=0.01)

for step in range(30):
    optimizer.zero_grad()
    hidden = checkpoint(block, points, use_reentrant=False)
    loss = nn.functional.cross_entropy(head(hidden), labels)
    loss.backward()
    optimizer.step()
