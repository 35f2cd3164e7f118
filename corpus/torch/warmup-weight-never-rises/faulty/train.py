import torch
from torch import nn
import torch.nn.functional as F

from schedule import ramp

WORDS, FRAMES, BINS = 5, 20, 12


def spectrograms(n, g):
    word = torch.randint(0, WORDS, (n,), generator=g)
    tone = torch.randn(WORDS, BINS, generator=g)
    envelope = torch.rand(n, 1, FRAMES, generator=g) + 0.5
    spec = tone[word].unsqueeze(-1) * envelope + 0.5 * torch.randn(n, BINS, FRAMES, generator=g)
    return spec, word


class CommandNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(BINS, 24, 5, padding=2)
        self.proj = nn.Linear(24, 16)
        self.out = nn.Linear(16, WORDS)

    def embed(self, spec):
        return self.proj(F.relu(self.conv(spec)).mean(-1))

    def forward(self, spec):
        z = self.embed(spec)
        return z, self.out(F.relu(z))


def consistency(za, zb):
    return 1 - F.cosine_similarity(za, zb, dim=1).mean()


g = torch.Generator().manual_seed(2)
torch.manual_seed(2)
spec, word = spectrograms(256, g)
net = CommandNet()
opt = torch.optim.Adam(net.parameters(), lr=4e-3)
global_step = 0
for epoch in range(8):
    order = torch.randperm(len(spec), generator=g)
    for chunk in order.split(32):
        a = spec[chunk] + 0.1 * torch.randn(spec[chunk].shape, generator=g)
        b = spec[chunk] + 0.1 * torch.randn(spec[chunk].shape, generator=g)
        za, scores = net(a)
        zb, _ = net(b)
        supervised = F.cross_entropy(scores, word[chunk])
        loss = 0.5 * consistency(za, zb) + ramp(global_step, 10) * supervised
        opt.zero_grad()
        loss.backward()
        opt.step()
        global_step += 1
    print(f"epoch {epoch}: total {loss.item():.4f} supervised {supervised.item():.4f}")
with torch.no_grad():
    print("accuracy", (net(spec)[1].argmax(1) == word).float().mean().item())
