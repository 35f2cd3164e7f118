import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from pooling import AttentionPool


class Recordings(Dataset):
    """One frame of 80 carries the event; the rest is loud noise."""

    def __init__(self, n, seed):
        g = torch.Generator().manual_seed(seed)
        self.x = torch.randn(n, 80, 12, generator=g)
        self.y = torch.randint(0, 3, (n,), generator=g)
        at = torch.randint(0, 80, (n,), generator=g)
        for i in range(n):
            self.x[i, at[i], :3] = 0.0
            self.x[i, at[i], self.y[i]] = 5.0
            self.x[i, at[i], 3] = 6.0

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


class EventClassifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.frame = nn.Linear(12, 16)
        self.pool = AttentionPool(16)
        self.out = nn.Linear(16, 3)

    def forward(self, x):
        return self.out(self.pool(self.frame(x)))


def main():
    torch.manual_seed(209)
    data, held = Recordings(320, 1), Recordings(160, 2)
    net = EventClassifier()
    opt = torch.optim.Adam(net.parameters(), lr=0.02)
    for epoch in range(8):
        for x, y in DataLoader(data, 32, shuffle=True):
            loss = nn.functional.cross_entropy(net(x), y)
            opt.zero_grad()
            loss.backward()
            opt.step()
        with torch.no_grad():
            acc = (net(held.x).argmax(1) == held.y).float().mean().item()
        print(f"epoch {epoch} loss {loss.item():.4f} held-out {acc:.3f}")


main()
