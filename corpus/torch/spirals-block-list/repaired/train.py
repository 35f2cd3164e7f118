import argparse
import math

import torch
from torch import nn


class SpiralNet(nn.Module):
    def __init__(self, width, depth):
        super().__init__()
        self.inp = nn.Linear(2, width)
        self.hidden = nn.ModuleList([nn.Linear(width, width) for _ in range(depth)])
        self.out = nn.Linear(width, 2)

    def forward(self, xy):
        h = torch.tanh(self.inp(xy))
        for layer in self.hidden:
            h = torch.tanh(layer(h))
        return self.out(h)


def two_spirals(n):
    g = torch.Generator().manual_seed(0)
    t = torch.sqrt(torch.rand(n, generator=g)) * 2.2 * math.pi
    label = torch.randint(0, 2, (n,), generator=g)
    angle = t + math.pi * label
    xy = torch.stack([t * torch.cos(angle), t * torch.sin(angle)], 1) / 4
    return xy + 0.03 * torch.randn(n, 2, generator=g), label


def main(opts):
    torch.manual_seed(opts.seed)
    xy, label = two_spirals(500)
    net = SpiralNet(opts.width, opts.depth)
    print("trainable values:", sum(p.numel() for p in net.parameters()))
    optimizer = torch.optim.Adam(net.parameters(), lr=opts.lr)
    criterion = nn.CrossEntropyLoss()
    for it in range(opts.iterations):
        out = net(xy)
        loss = criterion(out, label)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if (it + 1) % 50 == 0:
            acc = (out.argmax(1) == label).float().mean().item()
            print(f"iter {it + 1:4d}  loss {loss.item():.4f}  acc {acc:.3f}")


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--width", type=int, default=24)
    p.add_argument("--depth", type=int, default=3)
    p.add_argument("--lr", type=float, default=0.01)
    p.add_argument("--iterations", type=int, default=250)
    p.add_argument("--seed", type=int, default=1)
    main(p.parse_args())
