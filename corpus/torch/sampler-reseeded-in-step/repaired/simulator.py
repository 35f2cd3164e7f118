import torch


class Pendulum:
    """Draws start conditions and returns the angle after one second."""

    def __init__(self, seed=0):
        self.seed = seed
        self.gen = torch.Generator().manual_seed(seed)

    def batch(self, n):
        gen = self.gen
        angle = (torch.rand(n, 1, generator=gen) - 0.5) * 3
        speed = (torch.rand(n, 1, generator=gen) - 0.5) * 4
        a, v = angle.clone(), speed.clone()
        for _ in range(50):
            v = v - 0.02 * 9.0 * torch.sin(a)
            a = a + 0.02 * v
        return torch.cat([angle, speed], 1), a
