import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(256, 10)
y = (x[:, 0] > 0).long()
net = nn.Sequential(nn.Linear(10, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 2))
opt = torch.optim.Adam(net.parameters(), 1e-2)
for e in range(8):
    net.train()
    for i in range(0, 256, 32):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(x[i : i + 32]), y[i : i + 32])
        loss.backward()
        opt.step()
    net.eval()
    probe = x.clone().requires_grad_()
    nn.functional.cross_entropy(
        net(probe), y
    ).backward()  # robustness probe; gradients are cleared before the next step
    print(probe.grad.abs().mean().item())
