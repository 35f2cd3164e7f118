import torch
from torch.utils.data import DataLoader, TensorDataset

from unet.dice import MultiDice
from unet.model import small_unet

CLASSES = 4          # background, oedema, core, enhancing


def scans(n, side, g):
    ax = torch.linspace(-1, 1, side)
    yy, xx = torch.meshgrid(ax, ax, indexing="ij")
    c = torch.rand(n, 2, 1, 1, generator=g) - 0.5
    r = ((yy - c[:, 0]) ** 2 + (xx - c[:, 1]) ** 2).sqrt()
    mask = (r < 0.7).long() + (r < 0.5).long() + (r < 0.3).long()
    return 0.6 * mask.unsqueeze(1) + 0.1 * torch.randn(n, 1, side, side, generator=g), mask


def main():
    torch.manual_seed(200)
    image, mask = scans(80, 20, torch.Generator().manual_seed(200))
    net, criterion = small_unet(CLASSES), MultiDice(CLASSES)
    opt = torch.optim.Adam(net.parameters(), lr=0.01)
    for epoch in range(8):
        net.train()
        for x, m in DataLoader(TensorDataset(image, mask), 10, shuffle=True):
            loss = criterion(net(x), m)
            opt.zero_grad()
            loss.backward()
            opt.step()
        net.eval()
        with torch.no_grad():
            acc = (net(image).argmax(1) == mask).float().mean().item()
        print(f"epoch {epoch} dice loss {loss.item():.4f} pixels right {acc:.3f}")


if __name__ == "__main__":
    main()
