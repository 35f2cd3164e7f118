import torch
from torch import nn
from torch.utils.checkpoint import checkpoint


class Stage(nn.Sequential):
    def __init__(self, a, b):
        super().__init__(nn.Linear(a, b), nn.LayerNorm(b), nn.GELU(), nn.Linear(b, b), nn.GELU())


class DeepEncoder(nn.Module):
    def __init__(self, n_in, width=6, save_memory=True):
        super().__init__()
        self.stages = nn.ModuleList([Stage(n_in, width), Stage(width, width)])
        self.save_memory = save_memory

    def forward(self, x):
        for stage in self.stages:
            if self.save_memory and self.training:
                x = checkpoint(stage, x, use_reentrant=False)
            else:
                x = stage(x)
        return x


class ReportClassifier(nn.Module):
    def __init__(self, n_in, classes):
        super().__init__()
        self.encoder = DeepEncoder(n_in)
        self.head = nn.Linear(6, classes)

    def forward(self, x):
        return self.head(self.encoder(x))
