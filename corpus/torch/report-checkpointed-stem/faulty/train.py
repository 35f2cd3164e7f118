import torch
from torch import nn, optim

from net import ReportClassifier


def reports(n, seed=3):
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 20, generator=g)
    return x, (x[:, 0] * x[:, 1] > 0).long() + 2 * (x[:, 2] > 0).long()


def main():
    torch.manual_seed(10)
    x, y = reports(800)
    model = ReportClassifier(20, 4)
    optimizer = optim.AdamW(model.parameters(), lr=1e-2)
    for epoch in range(12):
        model.train()
        for k in torch.randperm(len(x)).split(80):
            loss = nn.functional.cross_entropy(model(x[k]), y[k])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            acc = (model(x).argmax(1) == y).float().mean().item()
        print(f"epoch {epoch} loss {loss.item():.3f} acc {acc:.3f}")


main()
