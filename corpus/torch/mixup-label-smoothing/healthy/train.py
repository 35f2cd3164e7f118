import argparse

import numpy as np
import torch
import torch.nn as nn


def mixup_data(x, y, alpha, rng):
    lam = float(rng.beta(alpha, alpha))
    index = torch.randperm(x.size(0))
    return lam * x + (1 - lam) * x[index], y, y[index], lam


def mixup_criterion(criterion, pred, y_a, y_b, lam):
    return lam * criterion(pred, y_a) + (1 - lam) * criterion(pred, y_b)


def get_data(n, seed):
    g = torch.Generator().manual_seed(7)
    templates = torch.randn(5, 1, 8, 8, generator=g)
    g = torch.Generator().manual_seed(seed)
    y = torch.randint(0, 5, (n,), generator=g)
    return templates[y] + 0.9 * torch.randn(n, 1, 8, 8, generator=g), y


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 12, 3, padding=1)
        self.bn = nn.BatchNorm2d(12)
        self.fc = nn.Linear(12 * 16, 5)

    def forward(self, x):
        x = nn.functional.max_pool2d(torch.relu(self.bn(self.conv(x))), 2)
        return self.fc(x.flatten(1))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--alpha", default=0.4, type=float)
    ap.add_argument("--smoothing", default=0.1, type=float)
    ap.add_argument("--epochs", default=8, type=int)
    args = ap.parse_args([])
    torch.manual_seed(44)
    rng = np.random.default_rng(44)
    x, y = get_data(512, 1)
    xv, yv = get_data(200, 2)
    net = Net()
    criterion = nn.CrossEntropyLoss(label_smoothing=args.smoothing)
    opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)
    for epoch in range(args.epochs):
        net.train()
        for idx in torch.randperm(len(x)).split(64):
            mixed, ya, yb, lam = mixup_data(x[idx], y[idx], args.alpha, rng)
            loss = mixup_criterion(criterion, net(mixed), ya, yb, lam)
            opt.zero_grad()
            loss.backward()
            opt.step()
        net.eval()
        with torch.no_grad():
            acc = (net(xv).argmax(1) == yv).float().mean().item()
        print(f"epoch {epoch} loss {loss.item():.3f} acc {acc:.3f}")


main()
