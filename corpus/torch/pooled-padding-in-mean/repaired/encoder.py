import torch
from torch import nn


class MeanEncoder(nn.Module):
    def __init__(self, vocab, dim, classes):
        super().__init__()
        self.embed = nn.Embedding(vocab, dim)
        self.mix = nn.Linear(dim, dim)
        self.out = nn.Linear(dim, classes)

    def forward(self, ids, mask):
        h = torch.relu(self.mix(self.embed(ids)))
        pooled = (h * mask.unsqueeze(-1)).sum(dim=1) / mask.sum(dim=1, keepdim=True)
        return self.out(pooled)
