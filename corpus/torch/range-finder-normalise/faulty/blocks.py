import torch.nn.functional as F
from torch import nn


class UnitInput(nn.Module):
    def forward(self, x):
        return F.normalize(x, dim=-1)


def regressor(n_in, n_hidden):
    return nn.Sequential(UnitInput(), nn.Linear(n_in, n_hidden), nn.SiLU(), nn.Linear(n_hidden, 1))
