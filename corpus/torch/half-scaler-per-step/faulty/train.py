import torch
from torch import nn

from amp_loop import AmpLoop


def spots(n, gen):
    y = torch.randint(0, 8, (n,), generator=gen)
    x = 0.3 * torch.randn(n, 64, generator=gen)
    for k in range(8):
        x[torch.arange(n), y * 8 + k] += 1.0
    return x, y


def main():
    torch.manual_seed(0)
    gen = torch.Generator().manual_seed(1)
    net = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 8))
    loop = AmpLoop(net, torch.optim.SGD(net.parameters(), lr=2e-3), nn.CrossEntropyLoss(reduction="sum"))
    for step in range(1, 81):
        loss = loop.step(*spots(64, gen))
        if step % 10 == 0:
            print(f"step {step} loss {loss:.4f} scale {loop.last_scale:.0f}")


main()
