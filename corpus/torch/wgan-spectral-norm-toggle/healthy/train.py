import torch
import torch.nn as nn
from torch.nn.utils.parametrizations import spectral_norm


def critic_net():
    return nn.Sequential(
        spectral_norm(nn.Linear(2, 48)), nn.LeakyReLU(0.2),
        spectral_norm(nn.Linear(48, 48)), nn.LeakyReLU(0.2),
        spectral_norm(nn.Linear(48, 1)),
    )


class WGAN:
    def __init__(self):
        self.G = nn.Sequential(nn.Linear(3, 48), nn.ReLU(), nn.Linear(48, 2))
        self.D = critic_net()
        self.og = torch.optim.RMSprop(self.G.parameters(), lr=1e-3)
        self.od = torch.optim.RMSprop(self.D.parameters(), lr=2e-3)

    def critic_step(self, real):
        self.D.requires_grad_(True)
        with torch.no_grad():
            fake = self.G(torch.randn(len(real), 3))
        loss = self.D(fake).mean() - self.D(real).mean()
        self.od.zero_grad()
        loss.backward()
        self.od.step()
        return -loss.item()

    def generator_step(self, n):
        self.D.requires_grad_(False)
        loss = -self.D(self.G(torch.randn(n, 3))).mean()
        self.og.zero_grad()
        loss.backward()
        self.og.step()
        return loss.item()


def real_batch(n):
    side = torch.randint(0, 2, (n, 1)) * 2.0 - 1
    return torch.cat([side * 1.5, torch.full((n, 1), 2.0)], 1) + 0.2 * torch.randn(n, 2)


torch.manual_seed(16)
gan = WGAN()
for it in range(300):
    for _ in range(2):
        gap = gan.critic_step(real_batch(64))
    gan.generator_step(64)
    if it % 50 == 49:
        with torch.no_grad():
            m = gan.G(torch.randn(400, 3))
        print(f"{it + 1} critic gap {gap:.3f} mean {m.mean(0).tolist()} spread {m.std(0).tolist()}")
