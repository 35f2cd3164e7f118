import torch
import torch.nn.functional as F
from torch import nn


class ProxyHead(nn.Module):
    def __init__(self, classes, width, temperature=8.0):
        super().__init__()
        self.proxies = nn.Parameter(torch.randn(classes, width) * 0.5)
        self.temperature = nn.Parameter(torch.tensor(temperature))

    def forward(self, feats):
        sims = F.normalize(feats, dim=1) @ F.normalize(self.proxies, dim=1).t()
        return self.temperature * sims
