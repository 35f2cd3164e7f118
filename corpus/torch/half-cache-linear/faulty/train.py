import torch
from torch import nn

from lowp import HalfLinear


def moons(n):
    g = torch.Generator().manual_seed(44)
    y = torch.randint(0, 2, (n,), generator=g)
    t = torch.rand(n, generator=g) * 3.1416
    x = torch.stack([t.cos() + y, t.sin() * (1 - 2 * y) + 0.5 * y], 1)
    return x + 0.1 * torch.randn(n, 2, generator=g), y


def main():
    torch.manual_seed(0)
    x, y = moons(400)
    net = nn.Sequential(HalfLinear(2, 32), nn.ReLU(), HalfLinear(32, 2))
    for layer in net:
        if isinstance(layer, HalfLinear):
            layer.bias.requires_grad_(False)
    optimizer = torch.optim.Adam([p for p in net.parameters() if p.requires_grad], lr=0.02)
    for step in range(1, 101):
        out = net(x)
        loss = nn.functional.cross_entropy(out, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 20 == 0:
            moved = net[0].weight.detach().norm().item()
            print(f"step {step} loss {loss.item():.4f} acc {(out.argmax(1) == y).float().mean():.3f} |w| {moved:.3f}")


main()
