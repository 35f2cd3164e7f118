import torch
import torch.nn as nn

torch.manual_seed(3)
nz, batch = 4, 64
generator = nn.Sequential(nn.Linear(nz, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 2))
discriminator = nn.Sequential(nn.Linear(2, 48), nn.LeakyReLU(0.2), nn.Linear(48, 48), nn.LeakyReLU(0.2), nn.Linear(48, 1))
opt_g = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.999))
opt_d = torch.optim.Adam(discriminator.parameters(), lr=2e-3, betas=(0.5, 0.999))
bce = nn.BCEWithLogitsLoss()


def sample_real(n):
    t = torch.rand(n) * 2 * torch.pi
    r = 1.0 + 0.05 * torch.randn(n)
    return torch.stack([2.0 + r * t.cos(), -1.0 + r * t.sin()], 1)


real_label = torch.ones(batch, 1)
fake_label = torch.zeros(batch, 1)

for it in range(400):
    # discriminator
    discriminator.zero_grad()
    err_real = bce(discriminator(sample_real(batch)), real_label)
    err_real.backward()
    fake = generator(torch.randn(batch, nz))
    err_fake = bce(discriminator(fake.detach()), fake_label)
    err_fake.backward()
    opt_d.step()

    # generator
    generator.zero_grad()
    err_g = bce(discriminator(fake), real_label)
    err_g.backward()
    opt_g.step()

    if it % 50 == 0 or it == 399:
        with torch.no_grad():
            pts = generator(torch.randn(500, nz))
            gap = (pts.mean(0) - torch.tensor([2.0, -1.0])).norm()
        print(f"{it:3d} D {err_real.item() + err_fake.item():.3f} G {err_g.item():.3f} centre off by {gap:.3f}")
