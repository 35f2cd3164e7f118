import torch
from torch import nn


class Orchard(nn.Module):
    def __init__(self):
        super().__init__()
        self.old_branch = nn.Linear(8, 3)
        self.new_branch = nn.Sequential(nn.Linear(8, 24), nn.ReLU(), nn.Linear(24, 3))
        self.use_new = False

    def forward(self, x):
        return self.new_branch(x) if self.use_new else self.old_branch(x)


def clear(optimizer):
    for group in optimizer.param_groups:
        for p in group["params"]:
            if p.grad is not None:
                p.grad.zero_()
