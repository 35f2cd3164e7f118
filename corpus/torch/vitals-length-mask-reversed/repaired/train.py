import argparse

import torch
from torch import nn
from torch.utils.data import DataLoader

from padding import pad_batch


def patients(n, seed):
    g = torch.Generator().manual_seed(seed)
    rows = []
    for _ in range(n):
        length = int(torch.randint(18, 24, (1,), generator=g))
        v = torch.randn(length, 3, generator=g).cumsum(0) * 0.3
        t = 1.5 + v[:, 0] - 0.5 * v[:, 1] + 0.3 * v[:, 2]
        rows.append((v, t))
    return rows


class CurveNet(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.rnn = nn.GRU(3, hidden, batch_first=True)
        self.read = nn.Linear(hidden, 1)

    def forward(self, v):
        return self.read(self.rnn(v)[0]).squeeze(-1)


def masked_mse(pred, target, mask):
    return ((pred - target) ** 2)[mask].mean()


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--epochs", type=int, default=8)
    ap.add_argument("--lr", type=float, default=0.01)
    opts = ap.parse_args()
    torch.manual_seed(90)
    rows = patients(192, 90)
    net = CurveNet()
    optimizer = torch.optim.Adam(net.parameters(), opts.lr)
    for epoch in range(opts.epochs):
        for v, t, mask in DataLoader(rows, 24, shuffle=True, collate_fn=pad_batch):
            loss = masked_mse(net(v), t, mask)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            err = torch.stack([(net(v[None])[0] - t).pow(2).mean() for v, t in rows[:50]]).mean()
        print(f"epoch {epoch} loss {loss.item():.4f} error on measured steps {err.item():.4f}")


main()
