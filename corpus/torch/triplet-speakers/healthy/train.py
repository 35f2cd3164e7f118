import random

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class SpeakerTriplets(Dataset):
    def __init__(self, utterances, speaker, length):
        self.utterances, self.length = utterances, length
        self.by_speaker = {int(s): np.flatnonzero(speaker == s) for s in np.unique(speaker)}

    def __len__(self):
        return self.length

    def __getitem__(self, i):
        a, b = random.sample(sorted(self.by_speaker), 2)
        i, j = np.random.choice(self.by_speaker[a], 2, replace=False)
        k = np.random.choice(self.by_speaker[b])
        return tuple(torch.from_numpy(self.utterances[n]) for n in (i, j, k))


class EmbeddingNet(nn.Module):
    def __init__(self, dim=10):
        super().__init__()
        self.gru = nn.GRU(4, 24, batch_first=True)
        self.out = nn.Linear(24, dim)

    def forward(self, seq):
        _, h = self.gru(seq)
        return nn.functional.normalize(self.out(h[-1]), dim=-1)


def synth(rng, n_speakers=8, each=20, frames=10):
    voice = rng.normal(0, 0.8, (n_speakers, 4))
    speaker = np.repeat(np.arange(n_speakers), each)
    content = rng.normal(0, 1.0, (len(speaker), frames, 4))
    return (voice[speaker][:, None] + content).astype(np.float32), speaker


def retrieval(net, x, y):
    with torch.no_grad():
        e = net(torch.from_numpy(x))
        d = torch.cdist(e, e).fill_diagonal_(9)
    return float((y[d.argmin(1).numpy()] == y).mean())


random.seed(2), np.random.seed(2), torch.manual_seed(2)
rng = np.random.default_rng(2)
x, y = synth(rng)
net = EmbeddingNet()
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
triplet_loss = nn.TripletMarginLoss(margin=0.5)
print("before", retrieval(net, x, y))
for epoch in range(8):
    total = 0
    for anchor, positive, negative in DataLoader(SpeakerTriplets(x, y, 512), batch_size=64):
        loss = triplet_loss(net(anchor), net(positive), net(negative))
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() / 8
    print(f"epoch {epoch} loss {total:.3f} retrieval {retrieval(net, x, y):.3f}")
