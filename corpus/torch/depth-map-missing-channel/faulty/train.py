import warnings

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset

warnings.filterwarnings("ignore")


class DepthScenes(Dataset):
    """Shaded ramps: the nearer, the brighter."""

    def __init__(self, n=96, side=16, seed=31):
        g = torch.Generator().manual_seed(seed)
        ax = torch.linspace(-1, 1, side)
        yy, xx = torch.meshgrid(ax, ax, indexing="ij")
        tilt = torch.randn(n, 2, 1, 1, generator=g)
        self.depth = tilt[:, 0] * yy + tilt[:, 1] * xx
        albedo = torch.tensor([0.9, 0.6, 0.3]).view(1, 3, 1, 1)
        self.rgb = -albedo * self.depth.unsqueeze(1) + 0.05 * torch.randn(n, 3, side, side, generator=g)

    def __len__(self):
        return len(self.rgb)

    def __getitem__(self, i):
        return {"rgb": self.rgb[i], "depth": self.depth[i]}


class DepthNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(3, 12, 3, padding=1)
        self.c2 = nn.Conv2d(12, 12, 3, padding=1)
        self.c3 = nn.Conv2d(12, 1, 1)

    def forward(self, x):
        return self.c3(F.leaky_relu(self.c2(F.leaky_relu(self.c1(x)))))


def train_one_epoch(net, loader, opt):
    meter = []
    for sample in loader:
        rgb, depth = sample["rgb"], sample["depth"]
        pred_depth = net(rgb)
        loss = F.smooth_l1_loss(pred_depth, depth)
        opt.zero_grad()
        loss.backward()
        opt.step()
        meter.append(loss.item())
    return sum(meter) / len(meter)


def validate(net, data):
    with torch.no_grad():
        return (net(data.rgb)[:, 0] - data.depth).abs().mean().item()


def main():
    torch.manual_seed(31)
    data = DepthScenes()
    net = DepthNet()
    opt = torch.optim.Adam(net.parameters(), lr=0.01)
    sched = torch.optim.lr_scheduler.StepLR(opt, 5, gamma=0.5)
    for epoch in range(8):
        loss = train_one_epoch(net, DataLoader(data, 12, shuffle=True), opt)
        sched.step()
        print(f"{epoch} loss {loss:.4f} abs error {validate(net, data):.4f}")


main()
