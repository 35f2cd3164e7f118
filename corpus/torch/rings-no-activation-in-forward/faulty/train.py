import torch
import torch.nn.functional as F
from torch import nn


class RingNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.enter = nn.Linear(2, 48)
        self.inner = nn.Linear(48, 48)
        self.drop = nn.Dropout(0.1)
        self.leave = nn.Linear(48, 2)

    def forward(self, p):
        p = self.enter(p)
        p = self.drop(self.inner(p))
        return self.leave(p)


def rings(n):
    radius = torch.rand(n) * 2
    angle = torch.rand(n) * 6.2832
    spots = torch.stack([radius * angle.cos(), radius * angle.sin()], dim=1)
    return spots, (radius > 1).long()


torch.manual_seed(11)
spots, outer = rings(800)
net = RingNet()
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
for epoch in range(12):
    order = torch.randperm(len(spots))
    for start in range(0, len(spots), 100):
        rows = order[start : start + 100]
        loss = F.cross_entropy(net(spots[rows]), outer[rows])
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(epoch, round(loss.item(), 4))
