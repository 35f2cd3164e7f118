import torch
from torch import nn

from adapt.step import adaptation_step


def domain(n, shift, protos, g):
    y = torch.randint(0, len(protos), (n,), generator=g)
    return protos[y] + shift + 0.7 * torch.randn(n, protos.size(1), generator=g), y


def main():
    torch.manual_seed(315)
    g = torch.Generator().manual_seed(315)
    protos = 1.5 * torch.randn(4, 10, generator=g)
    xs, ys = domain(320, 0.0, protos, g)
    xt, yt = domain(320, 0.4, protos, g)
    net = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 4))
    opt = torch.optim.SGD(net.parameters(), lr=0.03, momentum=0.9, nesterov=True)
    for epoch in range(5):
        for rows in torch.randperm(320, generator=g).split(32):
            log = {}
            loss = adaptation_step(net, xs[rows], ys[rows], xt[rows], 0.3, log)
            opt.zero_grad()
            loss.backward()
            opt.step()
        with torch.no_grad():
            acc = (net(xt).argmax(1) == yt).float().mean().item()
        print(epoch, {k: round(v, 3) for k, v in log.items()}, "target acc", round(acc, 3))


main()
