import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(17)
N_CLUSTERS, DIM = 6, 24
centres = torch.zeros(N_CLUSTERS, DIM)
centres[:, :4] = torch.randn(N_CLUSTERS, 4) * 1.2


def draw(n):
    c = torch.randint(0, N_CLUSTERS, (n,))
    x = torch.randn(n, DIM)
    x[:, :4] = centres[c, :4] + 0.2 * x[:, :4]
    return x, c


def augment(x):
    jitter = torch.randn_like(x)
    jitter[:, :4] *= 0.15
    return x + jitter


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(DIM, 64), nn.ReLU(), nn.Linear(64, 32))
        self.projector = nn.Sequential(nn.ReLU(), nn.Linear(32, 16))

    def forward(self, x):
        return F.normalize(self.projector(self.net(x)), dim=1)


def nt_xent(z1, z2, temperature=0.3):
    n = len(z1)
    z = torch.cat([z1, z2])
    sim = z @ z.t() / temperature
    sim.fill_diagonal_(float("-inf"))
    targets = torch.arange(2 * n).roll(n)
    return F.cross_entropy(sim, targets)


def knn_accuracy(encoder):
    with torch.no_grad():
        a, ca = draw(200)
        b, cb = draw(100)
        ea, eb = F.normalize(encoder.net(a), dim=1), F.normalize(encoder.net(b), dim=1)
        return (ca[(eb @ ea.t()).argmax(1)] == cb).float().mean().item()


pool, _ = draw(1024)
encoder = Encoder()
optimizer = torch.optim.Adam(encoder.parameters(), lr=2e-3, weight_decay=1e-6)
for step in range(150):
    x = pool[torch.randint(0, len(pool), (48,))]
    loss = nt_xent(encoder(augment(x)), encoder(augment(x)))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 25 == 0 or step == 149:
        print(f"step {step} loss {loss.item():.3f} knn {knn_accuracy(encoder):.3f}")
