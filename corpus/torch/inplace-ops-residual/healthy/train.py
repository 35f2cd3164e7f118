import torch
import torch.nn as nn


class Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.conv1 = nn.Conv2d(c, c, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c)
        self.conv2 = nn.Conv2d(c, c, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(c)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += x
        return self.relu(out)


class Counter(nn.Module):
    """How many dots are in each quarter of the picture."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, 10, 3, padding=1)
        self.layers = nn.Sequential(Block(10), Block(10))
        self.read = nn.Linear(10, 1)

    def forward(self, x):
        f = self.layers(torch.relu_(self.stem(x)))
        counts = x.new_zeros(len(x), 4)
        h = f.shape[-1] // 2
        for q in range(4):
            r, c = divmod(q, 2)
            part = f[:, :, r * h:(r + 1) * h, c * h:(c + 1) * h]
            counts[:, q] = self.read(part.mean((2, 3))).squeeze(1)
        return counts


def dots(n):
    img = (torch.rand(n, 1, 12, 12) < 0.12).float()
    quarter = img.unfold(2, 6, 6).unfold(3, 6, 6).sum((-1, -2)).flatten(1)
    return img + 0.1 * torch.randn_like(img), quarter / 4


torch.manual_seed(51)
x, y = dots(320)
xt, yt = dots(80)
net = Counter()
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, 8, eta_min=1e-3)
for epoch in range(8):
    net.train()
    for idx in torch.randperm(320).split(32):
        opt.zero_grad()
        loss = nn.functional.mse_loss(net(x[idx]), y[idx])
        loss.backward()
        opt.step()
    sched.step()
    net.eval()
    with torch.no_grad():
        print(f"epoch {epoch} train {loss.item():.4f} test {nn.functional.mse_loss(net(xt), yt).item():.4f}")
