import torch
from torch import nn

from episode import Episode


def omni(n_way, per, gen):
    shape = torch.randn(n_way, 25, generator=gen)
    y = torch.arange(n_way).repeat(per)
    noise = torch.cat([torch.zeros(15), 3 * torch.ones(10)])
    return shape[y] * (noise == 0) + torch.randn(len(y), 25, generator=gen) * (0.4 + noise), y


def main():
    torch.manual_seed(3)
    gen = torch.Generator().manual_seed(3)
    x, y = omni(6, 40, gen)
    embed = nn.Sequential(nn.Linear(25, 32), nn.ReLU(), nn.Linear(32, 8))
    episode = Episode(embed, x[:60], y[:60], 6)
    optimizer = torch.optim.Adam(embed.parameters(), lr=3e-3)
    for step in range(1, 61):
        pick = 60 + torch.randint(0, 180, (48,), generator=gen)
        scores = episode.scores(x[pick])
        loss = nn.functional.cross_entropy(scores, y[pick])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 10 == 0:
            acc = (scores.argmax(1) == y[pick]).float().mean().item()
            print(f"step {step} loss {loss.item():.3f} acc {acc:.3f}")


main()
