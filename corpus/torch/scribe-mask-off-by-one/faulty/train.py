import math

import torch
import torch.nn.functional as F
from torch import nn


class SelfAttention(nn.Module):
    def __init__(self, width, heads, longest):
        super().__init__()
        self.heads = heads
        self.project = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.register_buffer("seen", torch.tril(torch.ones(longest, longest), diagonal=1))

    def forward(self, x):
        rows, length, width = x.shape
        q, k, v = (part.view(rows, length, self.heads, -1).transpose(1, 2) for part in self.project(x).split(width, 2))
        scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
        scores = scores.masked_fill(self.seen[:length, :length] == 0, float("-inf"))
        mixed = F.softmax(scores, dim=-1) @ v
        return self.out(mixed.transpose(1, 2).reshape(rows, length, width))


class Scribe(nn.Module):
    def __init__(self, letters, width=32, longest=24):
        super().__init__()
        self.letter = nn.Embedding(letters, width)
        self.place = nn.Embedding(longest, width)
        self.norm = nn.LayerNorm(width)
        self.attend = SelfAttention(width, 4, longest)
        self.think = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 64), nn.GELU(), nn.Linear(64, width))
        self.head = nn.Linear(width, letters)

    def forward(self, ids):
        x = self.letter(ids) + self.place(torch.arange(ids.shape[1]))
        x = x + self.attend(self.norm(x))
        return self.head(x + self.think(x))


torch.manual_seed(2)
model = Scribe(20)
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
for step in range(80):
    text = torch.randint(0, 20, (32, 20)).cumsum(1) % 20
    scores = model(text[:, :-1])
    loss = F.cross_entropy(scores.reshape(-1, 20), text[:, 1:].reshape(-1))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print("loss", round(loss.item(), 4))
