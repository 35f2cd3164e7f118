import torch
import torch.nn.functional as F
from torch import nn


class CosineMargin(nn.Module):
    def __init__(self, width, people, scale=12.0, margin=0.1):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(people, width))
        nn.init.xavier_uniform_(self.weight)
        self.scale, self.margin = scale, margin

    def cosine(self, emb):
        return F.linear(F.normalize(emb), F.normalize(self.weight))

    def forward(self, emb, who):
        cos = self.cosine(emb)
        cos = cos - self.margin * F.one_hot(who, cos.size(1))
        return F.cross_entropy(self.scale * cos, who)
