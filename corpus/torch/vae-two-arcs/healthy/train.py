import argparse
import math

import torch
from torch import nn
from torch.nn import functional as F

parser = argparse.ArgumentParser()
parser.add_argument("--latent", type=int, default=3)
parser.add_argument("--epochs", type=int, default=15)
parser.add_argument("--batch-size", type=int, default=64)
parser.add_argument("--lr", type=float, default=4e-3)
parser.add_argument("--beta", type=float, default=0.2)
args = parser.parse_args()

torch.manual_seed(7)


def render(n):
    phi = torch.rand(n) * 2 * math.pi
    radius = 0.5 + 0.4 * torch.rand(n)
    grid = torch.linspace(-1.2, 1.2, 10)
    yy, xx = torch.meshgrid(grid, grid, indexing="ij")
    cx, cy = radius * phi.cos(), radius * phi.sin()
    d2 = (xx - cx[:, None, None]) ** 2 + (yy - cy[:, None, None]) ** 2
    return torch.exp(-d2 / 0.12).flatten(1)


class VAE(nn.Module):
    def __init__(self, latent):
        super().__init__()
        self.fc1 = nn.Linear(100, 64)
        self.fc_mu = nn.Linear(64, latent)
        self.fc_logvar = nn.Linear(64, latent)
        self.fc3 = nn.Linear(latent, 64)
        self.fc4 = nn.Linear(64, 100)

    def encode(self, x):
        h = F.relu(self.fc1(x))
        return self.fc_mu(h), self.fc_logvar(h)

    def reparameterize(self, mu, logvar):
        return mu + torch.randn_like(mu) * torch.exp(0.5 * logvar)

    def decode(self, z):
        return self.fc4(F.relu(self.fc3(z)))

    def forward(self, x):
        mu, logvar = self.encode(x)
        return self.decode(self.reparameterize(mu, logvar)), mu, logvar


def elbo(recon, x, mu, logvar):
    rec = F.binary_cross_entropy_with_logits(recon, x, reduction="sum") / len(x)
    kl = -0.5 * (1 + logvar - mu.pow(2) - logvar.exp()).sum(1).mean()
    return rec + args.beta * kl, rec, kl


data = render(512)
model = VAE(args.latent)
optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
for epoch in range(args.epochs):
    for chunk in data[torch.randperm(len(data))].split(args.batch_size):
        optimizer.zero_grad()
        out, mu, logvar = model(chunk)
        loss, rec, kl = elbo(out, chunk, mu, logvar)
        loss.backward()
        optimizer.step()
    print(f"{epoch:2d} elbo {loss.item():.2f} rec {rec.item():.2f} kl {kl.item():.2f}")
