import torch
import torch.nn as nn
import torch.nn.functional as F


class CategoricalBottleneck(nn.Module):
    """Each picture is told apart by 3 symbols out of an alphabet of 5."""

    def __init__(self, symbols=3, alphabet=5):
        super().__init__()
        self.shape = (symbols, alphabet)
        self.sender = nn.Sequential(nn.Linear(8, 40), nn.ReLU(), nn.Linear(40, symbols * alphabet))
        self.receiver = nn.Sequential(nn.Linear(symbols * alphabet, 40), nn.ReLU(), nn.Linear(40, 10))

    def forward(self, x, tau):
        logits = self.sender(x).view(-1, *self.shape)
        message = F.gumbel_softmax(logits, tau=tau, hard=True, dim=-1) if self.training else F.one_hot(logits.argmax(-1), self.shape[1]).float()
        return self.receiver(message.flatten(1))


def batches(prototypes, size, g):
    while True:
        which = torch.randint(0, 10, (size,), generator=g)
        yield prototypes[which] + 0.1 * torch.randn(size, 8, generator=g), which


torch.manual_seed(61)
g = torch.Generator().manual_seed(61)
prototypes = torch.randn(10, 8, generator=g)
game = CategoricalBottleneck()
optim = torch.optim.Adam(game.parameters(), lr=5e-3)
for step, (x, which) in enumerate(batches(prototypes, 64, g)):
    game.train()
    tau = max(0.7, 1.5 * 0.995 ** step)
    loss = F.cross_entropy(game(x, tau), which)
    optim.zero_grad()
    loss.backward()
    optim.step()
    if step % 50 == 0 or step == 300:
        game.eval()
        with torch.no_grad():
            acc = (game(x, tau).argmax(1) == which).float().mean().item()
        print(f"step {step} tau {tau:.2f} loss {loss.item():.3f} accuracy {acc:.3f}")
    if step == 300:
        break
