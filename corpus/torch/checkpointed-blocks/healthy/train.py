import torch
import torch.nn as nn
from torch.utils.checkpoint import checkpoint


class Mixer(nn.Module):
    def __init__(self, tokens, d):
        super().__init__()
        self.n1, self.n2 = nn.LayerNorm(d), nn.LayerNorm(d)
        self.tok = nn.Sequential(nn.Linear(tokens, 2 * tokens), nn.GELU(), nn.Linear(2 * tokens, tokens))
        self.ch = nn.Sequential(nn.Linear(d, 2 * d), nn.GELU(), nn.Linear(2 * d, d))

    def forward(self, x):
        x = x + self.tok(self.n1(x).transpose(1, 2)).transpose(1, 2)
        return x + self.ch(self.n2(x))


class Net(nn.Module):
    def __init__(self, tokens=10, d=24, depth=3, classes=3, save_memory=True):
        super().__init__()
        self.embed = nn.Linear(4, d)
        self.blocks = nn.ModuleList(Mixer(tokens, d) for _ in range(depth))
        self.head = nn.Linear(d, classes)
        self.save_memory = save_memory

    def forward(self, x):
        x = self.embed(x)
        for block in self.blocks:
            x = checkpoint(block, x, use_reentrant=False) if self.save_memory and self.training else block(x)
        return self.head(x.mean(1))


def trajectories(n):
    y = torch.randint(0, 3, (n,))
    x = torch.randn(n, 10, 4).cumsum(1) * 0.25
    drift = torch.linspace(0, 4.0, 10)[None]
    x[:, :, 0] += torch.where(y == 1, 1.0, 0.0)[:, None] * drift
    x[:, :, 1] -= torch.where(y == 2, 1.0, 0.0)[:, None] * drift
    return x, y


def main():
    torch.manual_seed(92)
    x, y = trajectories(400)
    net = Net()
    opt = torch.optim.AdamW(net.parameters(), lr=3e-3)
    for epoch in range(8):
        net.train()
        for idx in torch.randperm(400).split(40):
            loss = nn.functional.cross_entropy(net(x[idx]), y[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
        net.eval()
        with torch.no_grad():
            print(f"epoch {epoch} loss {loss.item():.3f} acc {(net(x).argmax(1) == y).float().mean().item():.3f}")


main()
