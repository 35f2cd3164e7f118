import argparse

import torch
from torch import nn
import torch.nn.functional as F


class SongModel(nn.Module):
    def __init__(self, listeners, songs, rank=64):
        super().__init__()
        self.listener = nn.Embedding(listeners, rank)
        self.song = nn.Embedding(songs, rank)

    def forward(self, u, s):
        return (self.listener(u) * self.song(s)).sum(-1)


def plays(gen, listeners, songs, n):
    u = torch.randint(0, listeners, (n,), generator=gen)
    k = torch.randint(0, songs // 4, (n, 2), generator=gen)
    liked = k[:, 0] * 4 + u % 4
    other = k[:, 1] * 4 + (u + 1) % 4
    return u, liked, other


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--dtype", default="bfloat16")
    parser.add_argument("--lr", type=float, default=5e-4)
    args = parser.parse_args()

    torch.manual_seed(0)
    gen = torch.Generator().manual_seed(0)
    model = SongModel(16, 20).to(getattr(torch, args.dtype))
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
    right = []
    for step in range(1, 601):
        u, liked, other = plays(gen, 16, 20, 64)
        margin = model(u, liked) - model(u, other)
        loss = F.softplus(-margin.float()).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        right.append((margin > 0).float().mean().item())
        if step % 100 == 0:
            print(f"step {step} loss {loss.item():.3f} pairs right {sum(right[-100:]) / 100:.3f}")


main()
