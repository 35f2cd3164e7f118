import torch
from torch import nn

from reptile import Reptile


class Line:
    """Tasks are lines round 2x + 1."""

    def __init__(self, gen):
        self.gen = gen
        self.slope = 2 + 0.2 * torch.randn((), generator=gen)
        self.shift = 1 + 0.2 * torch.randn((), generator=gen)

    def sample(self, n):
        x = torch.rand(n, 1, generator=self.gen) * 2 - 1
        return x, self.slope * x + self.shift


def main(rounds=40):
    torch.manual_seed(0)
    gen = torch.Generator().manual_seed(7)
    meta = Reptile(nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 1)))
    seen = []
    for r in range(1, rounds + 1):
        seen.append(meta.round(Line(gen)))
        if r % 8 == 0:
            print(f"round {r}: loss before adapting {sum(seen[-8:]) / 8:.4f}")


main()
