import torch
from torch import nn

torch.manual_seed(0)
D = nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
G = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 2))
od, og = (
    torch.optim.Adam(D.parameters(), 1e-3, betas=(0.5, 0.9)),
    torch.optim.Adam(G.parameters(), 1e-3, betas=(0.5, 0.9)),
)
for i in range(60):
    real = torch.randn(64, 2) * 0.3 + 1
    fake = G(torch.randn(64, 4)).detach()
    mix = (real * 0.5 + fake * 0.5).requires_grad_()
    (g,) = torch.autograd.grad(D(mix).sum(), mix, create_graph=True)
    loss = D(fake).mean() - D(real).mean() + 10 * ((g.norm(dim=1) - 1) ** 2).mean()
    od.zero_grad()
    loss.backward()
    od.step()
    if i % 5 == 0:
        lg = -D(G(torch.randn(64, 4))).mean()
        og.zero_grad()
        lg.backward()
        og.step()
print(loss.item())
