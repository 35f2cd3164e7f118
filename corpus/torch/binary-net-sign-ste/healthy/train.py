import torch
import torch.nn as nn
import torch.nn.functional as F


class Binarize(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.where(x >= 0, 1.0, -1.0)

    @staticmethod
    def backward(ctx, g):
        x, = ctx.saved_tensors
        return g * (x.abs() <= 1).to(g.dtype)


class BinaryLinear(nn.Linear):
    def forward(self, x):
        return F.linear(x, Binarize.apply(self.weight)) / self.in_features ** 0.5


class BinaryMLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.l1 = BinaryLinear(30, 128, bias=False)
        self.bn = nn.BatchNorm1d(128)
        self.l2 = BinaryLinear(128, 4, bias=False)
        self.out_scale = nn.Parameter(torch.ones(1))

    def forward(self, x):
        h = Binarize.apply(self.bn(self.l1(x)))
        return self.l2(h) * self.out_scale


torch.manual_seed(35)
centres = torch.randn(4, 30)
y = torch.randint(0, 4, (640,))
x = centres[y] + 1.0 * torch.randn(640, 30)
net = BinaryMLP()
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
for epoch in range(12):
    good = 0
    for idx in torch.randperm(640).split(64):
        logits = net(x[idx])
        loss = F.cross_entropy(logits, y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        for p in (net.l1.weight, net.l2.weight):
            p.data.clamp_(-1, 1)
        good += (logits.argmax(1) == y[idx]).sum().item()
    print(f"epoch {epoch} loss {loss.item():.3f} acc {good / 640:.3f}")
