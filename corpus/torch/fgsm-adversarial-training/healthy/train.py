import argparse

import torch

from robust.attack import fgsm
from robust.data import make_loaders
from robust.model import ConvNet


def evaluate(net, loader, eps):
    net.eval()
    clean = robust = n = 0
    for x, y in loader:
        clean += (net(x).argmax(1) == y).sum().item()
        robust += (net(fgsm(net, x, y, eps)).argmax(1) == y).sum().item()
        n += len(y)
    return clean / n, robust / n


def main(argv=None):
    p = argparse.ArgumentParser()
    p.add_argument("--eps", type=float, default=0.2)
    p.add_argument("--epochs", type=int, default=8)
    p.add_argument("--lr", type=float, default=5e-3)
    args = p.parse_args(argv)
    torch.manual_seed(77)
    train, test = make_loaders(batch_size=32)
    net = ConvNet()
    opt = torch.optim.Adam(net.parameters(), lr=args.lr)
    for epoch in range(args.epochs):
        net.train()
        for x, y in train:
            x_adv = fgsm(net, x, y, args.eps)
            opt.zero_grad()
            loss = 0.5 * torch.nn.functional.cross_entropy(net(x), y) + 0.5 * torch.nn.functional.cross_entropy(net(x_adv), y)
            loss.backward()
            opt.step()
        clean, robust = evaluate(net, test, args.eps)
        print(f"epoch {epoch} loss {loss.item():.3f} clean {clean:.3f} attacked {robust:.3f}")


if __name__ == "__main__":
    main()
