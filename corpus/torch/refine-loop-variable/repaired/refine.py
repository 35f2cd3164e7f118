import torch
from torch import nn
import torch.nn.functional as F


class ConvUnit(nn.Module):
    def __init__(self, ch):
        super().__init__()
        self.a = nn.Conv2d(ch, ch, 3, padding=1)
        self.b = nn.Conv2d(ch, ch, 3, padding=1)

    def forward(self, x):
        return x + self.b(F.relu(self.a(F.relu(x))))


class RefineNet(nn.Module):
    def __init__(self, ch=6):
        super().__init__()
        self.fine = nn.Conv2d(1, ch, 1)
        self.coarse = nn.Conv2d(1, ch, 1)
        self.units = nn.ModuleList([ConvUnit(ch), ConvUnit(ch)])
        self.out = nn.Conv2d(ch, 1, 1)

    def forward(self, image):
        maps = [self.fine(image), self.coarse(F.avg_pool2d(image, 2))]
        for i, m in enumerate(maps):
            maps[i] = self.units[i](m)
        up = F.interpolate(maps[1], scale_factor=2, mode="nearest")
        return self.out(maps[0] + up)
