import torch
from torch import nn


class DiceLoss(nn.Module):
    def __init__(self, smooth=1.0, cutoff=0.5):
        super().__init__()
        self.smooth = smooth
        self.cutoff = cutoff

    def forward(self, logits, mask):
        p = torch.sigmoid(logits)
        p = (p > self.cutoff).float()
        dims = (1, 2, 3)
        overlap = (p * mask).sum(dims)
        size = p.sum(dims) + mask.sum(dims)
        return 1 - ((2 * overlap + self.smooth) / (size + self.smooth)).mean()
