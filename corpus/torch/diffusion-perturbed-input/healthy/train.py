import torch
from torch import nn

torch.manual_seed(0)


class Denoiser(nn.Module):
    def __init__(self):
        super().__init__()
        self.t = nn.Embedding(50, 16)
        self.body = nn.Sequential(nn.Linear(18, 64), nn.GELU(), nn.Linear(64, 2))

    def forward(self, x, t):
        return self.body(torch.cat([x, self.t(t)], 1))


net = Denoiser()
opt = torch.optim.AdamW(net.parameters(), 2e-3)
abar = torch.cumprod(1 - torch.linspace(1e-4, 0.2, 50), 0)


def corrupt(x, t, noise):
    a = abar[t][:, None]
    jitter = 0.1 * torch.randn_like(x)  # input perturbation
    return a.sqrt() * x + (1 - a).sqrt() * (noise + jitter)


for i in range(120):
    x = torch.randn(128, 2) * 0.2 + 1
    t = torch.randint(0, 50, (128,))
    noise = torch.randn_like(x)
    loss = nn.functional.mse_loss(net(corrupt(x, t, noise), t), noise)
    opt.zero_grad()
    loss.backward()
    opt.step()
print(loss.item())
