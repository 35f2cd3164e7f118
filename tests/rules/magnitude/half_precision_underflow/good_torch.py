import torch
from torch import nn

torch.manual_seed(0)
points = torch.randn(256, 8)
labels = (points[:, :1] > 0).float()
model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
scaler = torch.amp.GradScaler("cpu")

for step in range(40):
    chosen = torch.randint(0, 256, (64,))
    optimizer.zero_grad()
    with torch.autocast("cpu", dtype=torch.float16):
        output = model(points[chosen])
    loss = 1e-6 * nn.functional.mse_loss(output.float(), labels[chosen])
    scaler.scale(loss).backward()
    scaler.step(optimizer)
    scaler.update()
