import copy

import torch
import torch.nn as nn
import torch.nn.functional as F


def moons(n):
    y = torch.arange(n) % 2
    t = torch.rand(n) * torch.pi
    x = torch.stack([torch.where(y == 0, t.cos(), 1 - t.cos()), torch.where(y == 0, t.sin(), 0.5 - t.sin())], 1)
    return x + 0.08 * torch.randn(n, 2), y


class MeanTeacher:
    def __init__(self, net, decay=0.95):
        self.student = net
        self.teacher = copy.deepcopy(net)
        for p in self.teacher.parameters():
            p.requires_grad = False
        self.decay = decay

    @torch.no_grad()
    def follow(self):
        for t, s in zip(self.teacher.parameters(), self.student.parameters()):
            t.mul_(self.decay).add_(s, alpha=1 - self.decay)

    def consistency(self, x):
        with torch.no_grad():
            goal = self.teacher(x + 0.05 * torch.randn_like(x)).softmax(1)
        return F.mse_loss(self.student(x + 0.05 * torch.randn_like(x)).softmax(1), goal)


torch.manual_seed(21)
labelled_x, labelled_y = moons(40)
free_x, _ = moons(600)
test_x, test_y = moons(300)

net = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 2))
mt = MeanTeacher(net)
opt = torch.optim.Adam(mt.student.parameters(), lr=1e-2)

for step in range(250):
    weight = min(1.0, step / 50)
    unl = free_x[torch.randint(0, 600, (64,))]
    sup = F.cross_entropy(mt.student(labelled_x), labelled_y)
    loss = sup + weight * mt.consistency(unl)
    opt.zero_grad()
    loss.backward()
    opt.step()
    mt.follow()
    if step % 50 == 49:
        acc = (mt.teacher(test_x).argmax(1) == test_y).float().mean().item()
        print(step + 1, f"loss {loss.item():.3f} teacher accuracy {acc:.3f}")
