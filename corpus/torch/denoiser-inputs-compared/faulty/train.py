import torch
from torch import nn


class Denoiser(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.encode = nn.Sequential(nn.Linear(n, 24), nn.ELU())
        self.decode = nn.Linear(24, n)

    def forward(self, x):
        return self.decode(self.encode(x))


def waves(batch, gen):
    grid = torch.linspace(0, 6.28, 32)
    f = 1 + 2 * torch.rand(batch, 1, generator=gen)
    return torch.sin(f * grid)


def corrupt(x, gen, level=0.5):
    return x + level * torch.randn(x.shape, generator=gen)


def train_step(model, optimizer, clean, gen):
    noisy = corrupt(clean, gen)
    restored = model(noisy)
    loss = nn.functional.mse_loss(noisy, clean)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


torch.manual_seed(10)
gen = torch.Generator().manual_seed(10)
model = Denoiser(32)
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
history = []
for step in range(150):
    history.append(train_step(model, optimizer, waves(32, gen), gen))
    if step % 30 == 29:
        print("step", step + 1, "mse", round(sum(history[-30:]) / 30, 4))
