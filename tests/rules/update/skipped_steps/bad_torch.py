import torch
from torch import nn

torch.manual_seed(0)
points = torch.randn(256, 8)
labels = (points[:, 0] > 0).long()
model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
scaler = torch.amp.GradScaler("cpu", init_scale=2.0**126, growth_interval=1, backoff_factor=0.99)

for step in range(20):
    chosen = torch.randint(0, 256, (32,))
    optimizer.zero_grad()
    with torch.autocast("cpu", dtype=torch.float16):
        loss = nn.functional.cross_entropy(model(points[chosen]), labels[chosen])
    scaler.scale(loss).backward()
    scaler.step(optimizer)
    scaler.update()
