import torch
from torch import nn


class AttentionPool(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.score = nn.Linear(dim, 1)

    def forward(self, frames):
        weights = torch.softmax(self.score(torch.tanh(frames)), dim=1)
        return (weights * frames).sum(dim=1)
