import torch
import torch.nn as nn
import torch.nn.functional as F


class VectorQuantizer(nn.Module):
    def __init__(self, n_codes, dim, beta=0.25):
        super().__init__()
        self.codebook = nn.Embedding(n_codes, dim)
        nn.init.normal_(self.codebook.weight, std=0.5)
        self.beta = beta

    def forward(self, z):
        dist = torch.cdist(z, self.codebook.weight)
        idx = dist.argmin(-1)
        q = self.codebook(idx)
        commit = F.mse_loss(q, z.detach()) + self.beta * F.mse_loss(z, q.detach())
        return z + (q - z).detach(), commit, idx


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(12, 48), nn.ReLU(), nn.Linear(48, 4))
        self.vq = VectorQuantizer(16, 4)
        self.dec = nn.Sequential(nn.Linear(4, 48), nn.ReLU(), nn.Linear(48, 12))

    def forward(self, x):
        q, commit, idx = self.vq(self.enc(x))
        return self.dec(q), commit, idx


torch.manual_seed(77)
prototypes = torch.randn(6, 12)
x = prototypes[torch.randint(0, 6, (512,))] + 0.1 * torch.randn(512, 12)
model = Model()
opt = torch.optim.Adam(model.parameters(), lr=4e-3)
for step in range(250):
    batch = x[torch.randint(0, 512, (64,))]
    recon, commit, idx = model(batch)
    rec = F.mse_loss(recon, batch)
    loss = rec + commit
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 50 == 0 or step == 249:
        print(f"step {step} recon {rec.item():.4f} commit {commit.item():.4f} codes in use {idx.unique().numel()}")
