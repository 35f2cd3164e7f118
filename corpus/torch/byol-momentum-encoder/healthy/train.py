import copy

import torch
from torch import nn
import torch.nn.functional as F


def projector(i, h, o):
    return nn.Sequential(nn.Linear(i, h), nn.BatchNorm1d(h), nn.ReLU(inplace=True), nn.Linear(h, o))


class BYOL(nn.Module):
    def __init__(self, tau=0.97):
        super().__init__()
        self.online = projector(24, 64, 24)
        self.target = copy.deepcopy(self.online).requires_grad_(False)
        self.predictor = projector(24, 32, 24)
        self.tau = tau

    @torch.no_grad()
    def update_target(self):
        for o, t in zip(self.online.parameters(), self.target.parameters()):
            t.data = self.tau * t.data + (1 - self.tau) * o.data

    def loss(self, a, b):
        with torch.no_grad():
            ta, tb = self.target(a), self.target(b)
        pa, pb = self.predictor(self.online(a)), self.predictor(self.online(b))
        return 4 - 2 * F.cosine_similarity(pa, tb).mean() - 2 * F.cosine_similarity(pb, ta).mean()


class Speckles:
    def __init__(self, groups=5, n=600):
        self.kind = torch.arange(n) % groups
        self.signal = (torch.randn(groups, 6) * 1.3)[self.kind] + 0.15 * torch.randn(n, 6)

    def views(self, idx):
        def one():
            return torch.cat([self.signal[idx] + 0.15 * torch.randn(len(idx), 6), torch.randn(len(idx), 18)], 1)
        return one(), one()


def neighbours(model, data):
    model.eval()
    with torch.no_grad():
        z = F.normalize(model.online(data.views(torch.arange(600))[0]), dim=1)
    model.train()
    return (data.kind[(z @ z.t()).fill_diagonal_(-2).argmax(1)] == data.kind).float().mean().item()


torch.manual_seed(54)
data, model = Speckles(), BYOL()
opt = torch.optim.Adam([*model.online.parameters(), *model.predictor.parameters()], lr=2e-3, weight_decay=1e-5)
print(f"start {neighbours(model, data):.3f}")
for step in range(200):
    loss = model.loss(*data.views(torch.randint(0, 600, (100,))))
    opt.zero_grad()
    loss.backward()
    opt.step()
    model.update_target()
    if step % 50 == 49:
        print(f"step {step + 1} loss {loss.item():.3f} neighbours {neighbours(model, data):.3f}")
