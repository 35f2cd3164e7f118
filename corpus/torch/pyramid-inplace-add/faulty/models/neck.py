import torch.nn.functional as F
from torch import nn


class TopDown(nn.Module):
    def __init__(self, chans, width):
        super().__init__()
        self.lateral = nn.ModuleList(
            nn.Sequential(nn.Conv2d(c, width, 1), nn.ReLU()) for c in chans
        )

    def forward(self, maps):
        laterals = [lat(m) for lat, m in zip(self.lateral, maps)]
        for i in range(len(laterals) - 1, 0, -1):
            size = laterals[i - 1].shape[-2:]
            laterals[i - 1] += F.interpolate(laterals[i], size=size, mode="nearest")
        return laterals[0]
