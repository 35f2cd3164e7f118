import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset


class Factors(nn.Module):
    def __init__(self, users, films, k, mean):
        super().__init__()
        self.user, self.film = nn.Embedding(users, k), nn.Embedding(films, k)
        self.user_bias, self.film_bias = nn.Embedding(users, 1), nn.Embedding(films, 1)
        for e in (self.user, self.film):
            nn.init.normal_(e.weight, std=0.3)
        for e in (self.user_bias, self.film_bias):
            nn.init.zeros_(e.weight)
        self.register_buffer("mean", torch.tensor(mean))

    def forward(self, u, f):
        dot = (self.user(u) * self.film(f)).sum(-1)
        return self.mean + dot + self.user_bias(u).squeeze(-1) + self.film_bias(f).squeeze(-1)


def ratings(users=60, films=50, n=2000):
    taste, style = torch.randn(users, 3), torch.randn(films, 3)
    u, f = torch.randint(0, users, (n,)), torch.randint(0, films, (n,))
    raw = 3.2 + 0.8 * (taste[u] * style[f]).sum(1) + 0.3 * torch.randn(n)
    return u, f, raw.round().clamp(1, 5).long()


torch.manual_seed(22)
u, f, stars = ratings()
train = DataLoader(TensorDataset(u[:1700], f[:1700], stars[:1700]), batch_size=100, shuffle=True)
model = Factors(60, 50, 4, stars[:1700].float().mean().item())
optimizer = torch.optim.Adam(model.parameters(), lr=2e-2, weight_decay=1e-4)
mse = nn.MSELoss()
for epoch in range(12):
    for uu, ff, ss in train:
        optimizer.zero_grad()
        loss = mse(model(uu, ff), ss.float())
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        rmse = mse(model(u[1700:], f[1700:]), stars[1700:].float()).sqrt().item()
    print(f"epoch {epoch} train {loss.item():.3f} held-out rmse {rmse:.3f}")
