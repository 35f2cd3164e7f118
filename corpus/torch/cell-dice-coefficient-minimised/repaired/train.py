import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(304)


def make_cells(n, side=22):
    ax = torch.arange(side, dtype=torch.float32)
    yy, xx = torch.meshgrid(ax, ax, indexing="ij")
    image, mask = [], []
    for _ in range(n):
        m = torch.zeros(side, side)
        for _ in range(4):
            cy, cx = torch.randint(3, side - 3, (2,)).tolist()
            m = torch.maximum(m, ((yy - cy) ** 2 + (xx - cx) ** 2 < 10).float())
        mask.append(m[None])
        image.append(0.8 * m[None] + 0.25 * torch.randn(1, side, side))
    return TensorDataset(torch.stack(image), torch.stack(mask))


class Dice(nn.Module):
    def __init__(self, eps=1.0):
        super().__init__()
        self.eps = eps

    def coefficient(self, p, t):
        p, t = p.flatten(1), t.flatten(1)
        return (2 * (p * t).sum(1) + self.eps) / (p.sum(1) + t.sum(1) + self.eps)

    def forward(self, scores, t):
        return 1 - self.coefficient(torch.sigmoid(scores), t).mean()


class Net(nn.Module):
    def __init__(self, c=8):
        super().__init__()
        self.enc = nn.Conv2d(1, c, 5, padding=2)
        self.dec = nn.Conv2d(c, 1, 5, padding=2)

    def forward(self, x):
        return self.dec(torch.relu(self.enc(x)))


cells = make_cells(96)
net, dice = Net(), Dice()
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
for epoch in range(6):
    for image, mask in DataLoader(cells, 12, shuffle=True):
        opt.zero_grad()
        loss = dice(net(image), mask)
        loss.backward()
        opt.step()
    with torch.no_grad():
        image, mask = cells.tensors
        score = dice.coefficient((net(image) > 0).float(), mask).mean().item()
    print(f"epoch {epoch} loss {loss.item():.4f} dice of the masks {score:.3f}")
