import math

import torch
from torch import nn
import torch.nn.functional as F


class SelfAttention(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.q = nn.Linear(dim, dim, bias=False)
        self.k = nn.Linear(dim, dim, bias=False)
        self.v = nn.Linear(dim, dim, bias=False)
        self.qkv = None

    def fuse(self):
        self.qkv = torch.cat([self.q.weight, self.k.weight, self.v.weight])
        return self

    def forward(self, x):
        if self.qkv is not None:
            q, k, v = F.linear(x, self.qkv).chunk(3, dim=-1)
        else:
            q, k, v = self.q(x), self.k(x), self.v(x)
        pattern = (q @ k.transpose(1, 2) / math.sqrt(x.shape[-1])).softmax(-1)
        return pattern @ v


def prepare(model, fast=True):
    for m in model.modules():
        if fast and isinstance(m, SelfAttention):
            m.fuse()
    return model
