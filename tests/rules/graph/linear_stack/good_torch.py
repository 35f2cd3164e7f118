import torch
from torch import nn

torch.manual_seed(0)
points = 2 * torch.rand(512, 2) - 1
inside = (points.norm(dim=1, keepdim=True) < 0.75).float()
model = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

for step in range(40):
    chosen = torch.randint(0, 512, (64,))
    optimizer.zero_grad()
    loss = nn.functional.binary_cross_entropy_with_logits(model(points[chosen]), inside[chosen])
    loss.backward()
    optimizer.step()
