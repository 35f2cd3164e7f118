import torch
import torch.nn as nn
import torch.nn.functional as F


class Quantiser(nn.Module):
    def __init__(self, levels):
        super().__init__()
        self.levels = levels

    def forward(self, z):
        z = torch.tanh(z) * (self.levels - 1) / 2
        return (z + (z.round() - z)).detach()


class Compressor(nn.Module):
    def __init__(self, dim=20, code=3, levels=9):
        super().__init__()
        self.down = nn.Sequential(nn.Linear(dim, 32), nn.GELU(), nn.Linear(32, code))
        self.quantise = Quantiser(levels)
        self.up = nn.Sequential(nn.Linear(code, 32), nn.GELU(), nn.Linear(32, dim))

    def forward(self, x):
        return self.up(self.quantise(self.down(x)))


def signals(count, gen):
    latent = torch.rand(count, 3, generator=gen) * 2 - 1
    basis = torch.randn(3, 20, generator=torch.Generator().manual_seed(5))
    return latent @ basis


def run():
    torch.manual_seed(3)
    gen = torch.Generator().manual_seed(8)
    model = Compressor()
    optim = torch.optim.AdamW(model.parameters(), lr=6e-3)
    for step in range(240):
        x = signals(64, gen)
        loss = F.mse_loss(model(x), x)
        optim.zero_grad(set_to_none=True)
        loss.backward()
        optim.step()
        if step % 40 == 39:
            print(f"step {step + 1}: reconstruction {loss.item():.4f}")


run()
