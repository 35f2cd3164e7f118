import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from optim_config import build


def plates(n):
    g = torch.Generator().manual_seed(27)
    y = torch.randint(0, 2, (n,), generator=g)
    x = 0.4 * torch.randn(n, 1, 12, 12, generator=g)
    where = torch.randint(1, 10, (n, 2), generator=g)
    for k in range(n):
        if y[k]:
            r, c = where[k].tolist()
            x[k, 0, r - 1:r + 2, c - 1:c + 2] += 1.2
    return TensorDataset(x, y.float())


def main():
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(1, 6, 3, padding=1), nn.ReLU(), nn.AdaptiveMaxPool2d(2), nn.Flatten(), nn.Linear(24, 1), nn.Flatten(0)
    )
    optimizer = build("adam", net.parameters())
    loader = DataLoader(plates(320), batch_size=32, shuffle=True)
    for epoch in range(8):
        total, right = 0.0, 0
        for x, y in loader:
            out = net(x)
            loss = nn.functional.binary_cross_entropy_with_logits(out, y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
            right += ((out > 0) == (y > 0.5)).sum().item()
        print(f"epoch {epoch} loss {total / len(loader):.4f} acc {right / 320:.3f}")


main()
