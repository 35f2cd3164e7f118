import torch
from torch import nn

torch.manual_seed(0)
clean = torch.randn(512, 8) @ torch.randn(8, 24)
net = nn.Sequential(nn.Linear(24, 64), nn.ReLU(), nn.Linear(64, 24))
opt = torch.optim.Adam(net.parameters(), 1e-2)
for i in range(100):
    rows = torch.randint(0, 512, (64,))
    one = clean[rows] + torch.randn(64, 24)
    other = clean[rows] + torch.randn(64, 24)
    loss = nn.functional.mse_loss(net(one), other)
    opt.zero_grad()
    loss.backward()
    opt.step()
print(loss.item())
