import torch
from torch import nn


class OverlapWithSmoothness(nn.Module):
    """1 - IoU of the foreground plus a total variation term on the map."""

    def __init__(self, smooth_weight=0.1):
        super().__init__()
        self.smooth_weight = smooth_weight

    def forward(self, logits, mask):
        prob = torch.sigmoid(logits)
        fg = prob
        inter = (fg * mask).sum(dim=(1, 2, 3))
        union = (fg + mask - fg * mask).sum(dim=(1, 2, 3))
        iou = (inter + 1e-6) / (union + 1e-6)
        tv = (prob[..., 1:, :] - prob[..., :-1, :]).abs().mean() \
            + (prob[..., :, 1:] - prob[..., :, :-1]).abs().mean()
        return (1 - iou).mean() + self.smooth_weight * tv
