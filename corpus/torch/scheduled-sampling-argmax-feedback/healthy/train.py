import random

import torch
import torch.nn as nn


class Decoder(nn.Module):
    def __init__(self, symbols, d=40):
        super().__init__()
        self.embed = nn.Embedding(symbols + 1, d)
        self.cell = nn.GRUCell(d, d)
        self.out = nn.Linear(d, symbols)
        self.start = symbols

    def forward(self, context, target, p_teacher):
        h = context
        token = torch.full((len(target),), self.start)
        scores = []
        for t in range(target.size(1)):
            h = self.cell(self.embed(token), h)
            s = self.out(h)
            scores.append(s)
            token = target[:, t] if random.random() < p_teacher else s.argmax(-1)
        return torch.stack(scores, 1)


class Model(nn.Module):
    def __init__(self, features, symbols):
        super().__init__()
        self.context = nn.Sequential(nn.Linear(features, 40), nn.Tanh())
        self.decoder = Decoder(symbols)

    def forward(self, x, target, p_teacher=0.0):
        return self.decoder(self.context(x), target, p_teacher)


def recipes(n):
    start, stride = torch.randint(0, 9, (n,)), torch.randint(1, 4, (n,))
    seq = (start[:, None] + stride[:, None] * torch.arange(6)) % 9
    x = torch.cat([nn.functional.one_hot(start, 9), nn.functional.one_hot(stride, 4)], 1).float()
    return x + 0.1 * torch.randn_like(x), seq


random.seed(1)
torch.manual_seed(1)
x, seq = recipes(600)
model = Model(13, 9)
opt = torch.optim.Adam(model.parameters(), lr=1e-2)
steps = 150
for step in range(steps):
    i = torch.randint(0, 500, (50,))
    scores = model(x[i], seq[i], p_teacher=max(0.0, 1 - 1.5 * step / steps))
    loss = nn.functional.cross_entropy(scores.transpose(1, 2), seq[i])
    opt.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    opt.step()
    if step % 25 == 24:
        with torch.no_grad():
            free = model(x[500:], seq[500:]).argmax(-1)
        print(f"step {step + 1} loss {loss.item():.3f} free-running accuracy {(free == seq[500:]).float().mean():.3f}")
