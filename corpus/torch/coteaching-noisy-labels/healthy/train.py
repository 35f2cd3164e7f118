import torch
import torch.nn as nn
import torch.nn.functional as F


class Pair:
    def __init__(self, make, lr):
        self.nets = [make(), make()]
        self.opts = [torch.optim.Adam(n.parameters(), lr=lr) for n in self.nets]

    def step(self, x, y, keep):
        k = int(keep * len(x))
        outs = [net(x) for net in self.nets]
        with torch.no_grad():
            picks = [F.cross_entropy(o, y, reduction="none").argsort()[:k] for o in outs]
        values = []
        for out, opt, chosen in zip(outs, self.opts, reversed(picks)):
            loss = F.cross_entropy(out[chosen], y[chosen])
            opt.zero_grad()
            loss.backward()
            opt.step()
            values.append(loss.item())
        return values

    @torch.no_grad()
    def accuracy(self, x, y):
        return [(n(x).argmax(1) == y).float().mean().item() for n in self.nets]


torch.manual_seed(87)
centres = 1.3 * torch.randn(5, 10)
truth = torch.randint(0, 5, (1000,))
x = centres[truth] + torch.randn(1000, 10)
noisy = torch.where(torch.rand(1000) < 0.3, torch.randint(0, 5, (1000,)), truth)
pair = Pair(lambda: nn.Sequential(nn.Linear(10, 40), nn.ReLU(), nn.Linear(40, 5)), lr=5e-3)
for epoch in range(10):
    keep = 1 - 0.25 * min(1, epoch / 3)
    for idx in torch.randperm(800).split(80):
        losses = pair.step(x[idx], noisy[idx], keep)
    print(epoch, "losses", [round(v, 3) for v in losses], "clean accuracy", [round(v, 3) for v in pair.accuracy(x[800:], truth[800:])])
