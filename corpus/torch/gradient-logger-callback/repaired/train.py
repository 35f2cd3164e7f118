import torch
from torch import nn

from monitor import GradientMonitor


class Learner:
    def __init__(self, net, lr, callbacks=()):
        self.net = net
        self.opt = torch.optim.Adam(net.parameters(), lr=lr)
        self.callbacks = list(callbacks)
        self.step_no = 0

    def one_batch(self, x, y):
        self.opt.zero_grad()
        loss = nn.functional.cross_entropy(self.net(x), y)
        loss.backward()
        for cb in self.callbacks:
            cb.after_backward(self.net, self.step_no)
        self.opt.step()
        self.step_no += 1
        return loss.item()

    def fit(self, batches):
        recent = []
        for x, y in batches:
            recent.append(self.one_batch(x, y))
        return recent


def rings(steps, size=40):
    g = torch.Generator().manual_seed(66)
    for _ in range(steps):
        y = torch.randint(0, 3, (size,), generator=g)
        angle = torch.rand(size, generator=g) * 6.283
        r = y + 0.6 + 0.15 * torch.randn(size, generator=g)
        yield torch.stack([r * angle.cos(), r * angle.sin()], 1), y


torch.manual_seed(0)
learner = Learner(
    nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 3)), lr=0.02, callbacks=[GradientMonitor(25)]
)
losses = learner.fit(rings(100))
print(f"first ten {sum(losses[:10]) / 10:.3f}, last ten {sum(losses[-10:]) / 10:.3f}")
