import torch
import torch.nn as nn
import torch.nn.functional as F


class SimSiam(nn.Module):
    def __init__(self, dim_in=20, dim=32, hidden=16):
        super().__init__()
        self.f = nn.Sequential(
            nn.Linear(dim_in, 64), nn.BatchNorm1d(64), nn.ReLU(),
            nn.Linear(64, dim), nn.BatchNorm1d(dim, affine=False),
        )
        self.h = nn.Sequential(nn.Linear(dim, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Linear(hidden, dim))

    def forward(self, a, b):
        za, zb = self.f(a), self.f(b)
        return self.h(za), self.h(zb), za.detach(), zb.detach()


def view(x):
    noise = torch.zeros_like(x)
    noise[:, 5:] = torch.randn(len(x), x.shape[1] - 5)
    return x + noise + 0.1 * torch.randn_like(x)


def sample(n, g, means):
    kind = torch.randint(0, len(means), (n,), generator=g)
    x = torch.randn(n, 20, generator=g)
    x[:, :5] = means[kind] + 0.2 * x[:, :5]
    return x, kind


def probe(model, x, k):
    model.eval()
    with torch.no_grad():
        z = F.normalize(model.f(x), dim=1)
        near = (z @ z.t()).fill_diagonal_(-1).argmax(1)
    model.train()
    return (k[near] == k).float().mean().item()


def main():
    torch.manual_seed(31)
    g = torch.Generator().manual_seed(31)
    means = torch.randn(5, 5, generator=g)
    x, k = sample(800, g, means)
    model = SimSiam()
    cosine = nn.CosineSimilarity(dim=1)
    opt = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)
    print(f"start neighbours {probe(model, x, k):.3f}")
    for step in range(160):
        batch = x[torch.randperm(800)[:128]]
        p1, p2, z1, z2 = model(view(batch), view(batch))
        loss = -(cosine(p1, z2).mean() + cosine(p2, z1).mean()) * 0.5
        opt.zero_grad()
        loss.backward()
        opt.step()
        if step % 40 == 39:
            print(f"{step + 1} loss {loss.item():.3f} neighbours {probe(model, x, k):.3f}")


if __name__ == "__main__":
    main()
