import copy

import torch
import torch.nn as nn


def sample_task(g):
    slope = torch.rand(1, generator=g) * 2 + 1
    kink = torch.rand(1, generator=g) * 0.8 - 0.4

    def draw(n):
        x = torch.rand(n, 1, generator=g) * 2 - 1
        return x, slope * (x - kink).abs() - 1
    return draw


def inner_loop(model, draw, steps=8, lr=0.05):
    fast = copy.deepcopy(model)
    opt = torch.optim.SGD(fast.parameters(), lr=lr)
    x, y = draw(20)
    for _ in range(steps):
        loss = nn.functional.mse_loss(fast(x), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
    return fast


def score(model, seed=1000, tasks=15):
    g = torch.Generator().manual_seed(seed)
    total = 0.0
    for _ in range(tasks):
        draw = sample_task(g)
        fast = inner_loop(model, draw)
        with torch.no_grad():
            x, y = draw(50)
            total += nn.functional.mse_loss(fast(x), y).item() / tasks
    return total


def main():
    torch.manual_seed(37)
    g = torch.Generator().manual_seed(37)
    model = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))
    print(f"start, after adaptation: {score(model):.3f}")
    for it in range(240):
        fast = inner_loop(model, sample_task(g))
        outer = 0.5 * (1 - it / 240)
        with torch.no_grad():
            for p, q in zip(model.parameters(), fast.parameters()):
                p += outer * (q - p)
        if it % 40 == 39:
            print(f"iteration {it + 1}, after adaptation: {score(model):.3f}")


main()
