import math

import torch
import torch.nn as nn
import torch.nn.functional as F


class LoRALinear(nn.Module):
    def __init__(self, base, r=4, alpha=8):
        super().__init__()
        self.base = base
        for p in self.base.parameters():
            p.requires_grad = False
        self.A = nn.Parameter(torch.empty(r, base.in_features))
        self.B = nn.Parameter(torch.zeros(base.out_features, r))
        nn.init.kaiming_uniform_(self.A, a=math.sqrt(5))
        self.scale = alpha / r

    def forward(self, x):
        return self.base(x) + (x @ self.A.t() @ self.B.t()) * self.scale


def inject(module, **kw):
    for name, child in list(module.named_children()):
        if isinstance(child, nn.Linear):
            setattr(module, name, LoRALinear(child, **kw))
        else:
            inject(child, **kw)
    return module


def accuracy(net, x, y):
    with torch.no_grad():
        return (net(x).argmax(-1) == y).float().mean().item()


def loop(net, params, x, y, steps, lr, tag):
    opt = torch.optim.AdamW(params, lr=lr)
    for step in range(steps):
        i = torch.randint(0, len(x), (64,))
        loss = F.cross_entropy(net(x[i]), y[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
        if step % 30 == 29:
            print(f"{tag} {step + 1} loss {loss.item():.3f} acc {accuracy(net, x, y):.3f}")


torch.manual_seed(15)
w1 = torch.randn(16, 6)
w2 = w1 + 1.2 * torch.randn(16, 2) @ torch.randn(2, 6)
x = torch.randn(1000, 16)
net = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 6))
loop(net, net.parameters(), x, (x @ w1).argmax(1), 120, 1e-2, "base")
inject(net, r=4)
trainable = [p for p in net.parameters() if p.requires_grad]
print("shifted task before:", accuracy(net, x, (x @ w2).argmax(1)))
loop(net, trainable, x, (x @ w2).argmax(1), 150, 1e-2, "adapter")
