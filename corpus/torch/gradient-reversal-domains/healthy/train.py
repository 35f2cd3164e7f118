import torch
from torch import nn
from torch.autograd import Function


class GradReverse(Function):
    @staticmethod
    def forward(ctx, x, lam):
        ctx.lam = lam
        return x.view_as(x)

    @staticmethod
    def backward(ctx, g):
        return g.neg() * ctx.lam, None


class DANN(nn.Module):
    def __init__(self):
        super().__init__()
        self.feature = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU())
        self.label = nn.Linear(16, 2)
        self.domain = nn.Sequential(nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 2))

    def forward(self, x, lam):
        f = self.feature(x)
        return self.label(f), self.domain(GradReverse.apply(f, lam))


def domain_data(n, shifted):
    y = torch.randint(0, 2, (n,))
    x = torch.randn(n, 6)
    x[:, 0] += 2.4 * y - 1.2
    x[:, 1] += 2.4 * y - 1.2
    x[:, 4:] += 1.5 if shifted else -1.5
    return x, y


def main():
    torch.manual_seed(20)
    xs, ys = domain_data(800, False)
    xt, yt = domain_data(800, True)
    model, ce = DANN(), nn.CrossEntropyLoss()
    opt = torch.optim.SGD(model.parameters(), lr=0.03, momentum=0.5)
    steps = 320
    for step in range(steps):
        lam = 0.3 * step / steps
        i, j = torch.randint(0, 800, (64,)), torch.randint(0, 800, (64,))
        cls, ds = model(xs[i], lam)
        _, dt = model(xt[j], lam)
        dom = ce(ds, torch.zeros(64, dtype=torch.long)) + ce(dt, torch.ones(64, dtype=torch.long))
        loss = ce(cls, ys[i]) + dom
        opt.zero_grad()
        loss.backward()
        opt.step()
        if step % 40 == 39:
            with torch.no_grad():
                acc = (model(xt, 0.0)[0].argmax(1) == yt).float().mean().item()
            print(f"step {step + 1} loss {loss.item():.3f} domain {dom.item():.3f} target accuracy {acc:.3f}")


main()
