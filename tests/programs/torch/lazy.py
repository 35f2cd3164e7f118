"""Layers that take their sizes from the first batch, some given to the optimizer before it; and one that is never called."""

import torch
from torch import nn

torch.manual_seed(0)


class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.seen = nn.LazyConv2d(8, 3)
        self.norm = nn.LazyBatchNorm2d()
        self.scores = nn.LazyLinear(2)
        self.spare = nn.LazyLinear(4)

    def forward(self, images):
        return self.scores(torch.relu(self.norm(self.seen(images))).flatten(1))


images = torch.randn(192, 3, 12, 12)
kinds = (images.mean((1, 2, 3)) > 0).long()
model = Reader()
optimizer = torch.optim.Adam([*model.seen.parameters(), *model.norm.parameters(), *model.scores.parameters()], lr=1e-3)
for epoch in range(3):
    for start in range(0, 192, 64):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(images[start : start + 64]), kinds[start : start + 64])
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
