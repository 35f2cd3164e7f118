import torch
import torch.nn as nn


def safe_log(x):
    positive = x > 0
    return torch.where(positive, torch.where(positive, x, torch.ones_like(x)).log(), torch.full_like(x, -3.0))


class MeanVariance(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(d))
        self.body = nn.Sequential(nn.Linear(d, 32), nn.Softplus(), nn.Linear(32, 32), nn.Softplus())
        self.mean, self.raw = nn.Linear(32, 1), nn.Linear(32, 1)

    def forward(self, counts):
        h = self.body(safe_log(self.scale * counts))
        return self.mean(h).squeeze(-1), nn.functional.softplus(self.raw(h)).squeeze(-1) + 1e-4


def counts_and_yield(n):
    counts = torch.poisson(torch.full((n, 4), 2.0))
    centre = 0.4 * torch.log1p(counts[:, 0]) - 0.2 * counts[:, 1]
    sigma = 0.05 + 0.08 * counts[:, 2]
    return counts, centre + sigma * torch.randn(n)


torch.manual_seed(43)
counts, target = counts_and_yield(900)
print("share of zeros", (counts == 0).float().mean().item())
net = MeanVariance(4)
nll = nn.GaussianNLLLoss()
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
for epoch in range(15):
    total = 0.0
    for idx in torch.randperm(900).split(60):
        mean, var = net(counts[idx])
        loss = nll(mean, target[idx], var)
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        opt.step()
        total += loss.item() / 15
    print(f"epoch {epoch} nll {total:.3f}")
