import torch
from torch import nn
import torch.nn.functional as F

from config import CONFIG
from regloss import RegistrationLoss, soft_dice


def blobs(centres, n):
    ax = torch.linspace(-1, 1, n)
    yy, xx = torch.meshgrid(ax, ax, indexing="ij")
    d = (xx - centres[:, 0, None, None]) ** 2 + (yy - centres[:, 1, None, None]) ** 2
    return torch.exp(-d / 0.08).unsqueeze(1)


def make_pairs(n, size, gen):
    start = torch.rand(n, 2, generator=gen) * 0.4 - 0.2
    offset = torch.rand(n, 2, generator=gen) * 0.8 - 0.4
    moving, fixed = blobs(start, size), blobs(start + offset, size)
    noise = 0.05 * torch.randn(n, 2, size, size, generator=gen)
    images = torch.cat([moving, fixed], 1) + noise
    return images, moving, fixed


class AffineNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.Sequential(
            nn.Conv2d(2, 8, 3, stride=2, padding=1), nn.ReLU(),
            nn.Conv2d(8, 16, 3, stride=2, padding=1), nn.ReLU(),
            nn.Flatten(),
        )
        self.head = nn.Linear(16 * 5 * 5, 2)

    def forward(self, images):
        return torch.tanh(self.head(self.enc(images)))


def warp(label, shift):
    n = label.size(0)
    theta = torch.zeros(n, 2, 3)
    theta[:, 0, 0] = theta[:, 1, 1] = 1.0
    theta[:, :, 2] = shift
    grid = F.affine_grid(theta, label.shape, align_corners=False)
    return F.grid_sample(label, grid, align_corners=False)


def main(cfg):
    torch.manual_seed(cfg["seed"])
    gen = torch.Generator().manual_seed(cfg["seed"])
    images, moving, fixed = make_pairs(160, cfg["grid"], gen)
    net = AffineNet()
    criterion = RegistrationLoss(cfg["loss"])
    optimizer = torch.optim.Adam(net.parameters(), lr=cfg["lr"])
    for step in range(cfg["steps"]):
        idx = torch.randint(0, 160, (cfg["batch"],), generator=gen)
        shift = net(images[idx])
        loss = criterion(warp(moving[idx], shift), fixed[idx], shift)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 10 == 0:
            print(f"step {step:3d} loss {loss.item():.4f}")
    with torch.no_grad():
        overlap = 1 - soft_dice(warp(moving, net(images)), fixed)
    print(f"overlap after training {overlap.item():.3f}")


if __name__ == "__main__":
    main(CONFIG)
