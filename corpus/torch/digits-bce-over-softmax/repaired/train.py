import torch
from torch import nn
import torch.nn.functional as F


class DigitNet(nn.Module):
    def __init__(self, n_in=64, n_out=10):
        super().__init__()
        self.h = nn.Linear(n_in, 48)
        self.o = nn.Linear(48, n_out)

    def forward(self, x):
        return F.softmax(self.o(torch.relu(self.h(x))), dim=-1)


def digits(n, g):
    y = torch.randint(0, 10, (n,), generator=g)
    glyph = (torch.rand(10, 64, generator=g) < 0.4).float()
    return glyph[y] + 0.5 * torch.randn(n, 64, generator=g), y


class Objective:
    def __init__(self, classes):
        self.classes = classes

    def __call__(self, prob, y):
        onehot = F.one_hot(y, self.classes).float()
        return -(onehot * prob.clamp_min(1e-7).log()).sum(-1).mean()


def main():
    torch.manual_seed(207)
    g = torch.Generator().manual_seed(207)
    x, y = digits(400, g)
    net, objective = DigitNet(), Objective(10)
    opt = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.5)
    for epoch in range(6):
        for rows in torch.randperm(400, generator=g).split(40):
            loss = objective(net(x[rows]), y[rows])
            opt.zero_grad()
            loss.backward()
            opt.step()
        print(epoch, f"loss {loss.item():.4f}", f"acc {(net(x).argmax(1) == y).float().mean():.3f}")


main()
