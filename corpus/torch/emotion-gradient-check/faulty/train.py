from functools import partial

import torch
from torch import nn

from brain import Brain


class EmotionModel(nn.Module):
    def __init__(self, n_feats=16, n_emotions=4):
        super().__init__()
        self.mask_embedding = nn.Parameter(torch.zeros(n_feats))
        self.mask_embedding.requires_grad_(False)
        self.hidden = nn.Linear(n_feats, 24)
        self.out = nn.Linear(24, n_emotions)

    def forward(self, feats):
        gone = feats.isnan()
        feats = torch.where(gone, self.mask_embedding, feats)
        return self.out(torch.relu(self.hidden(feats)))


def utterances(batches, size):
    g = torch.Generator().manual_seed(9)
    prototypes = torch.randn(4, 16, generator=g)
    data = []
    for _ in range(batches):
        emotion = torch.randint(0, 4, (size,), generator=g)
        feats = prototypes[emotion] + 0.8 * torch.randn(size, 16, generator=g)
        feats[torch.rand(size, 16, generator=g) < 0.05] = float("nan")
        data.append((feats, emotion))
    return data


torch.manual_seed(4)
brain = Brain(EmotionModel(), partial(torch.optim.Adam, lr=5e-3), nn.CrossEntropyLoss())
brain.fit(10, utterances(8, 32))
