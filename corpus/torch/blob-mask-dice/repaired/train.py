import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from dice import DiceLoss


class Blobs(Dataset):
    def __init__(self, count, side=16):
        g = torch.Generator().manual_seed(count)
        yy, xx = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
        centre = torch.randint(4, side - 4, (count, 2), generator=g)
        radius = torch.randint(2, 5, (count,), generator=g)
        d2 = (yy[None] - centre[:, 0, None, None]) ** 2 + (xx[None] - centre[:, 1, None, None]) ** 2
        self.masks = (d2 <= radius[:, None, None] ** 2).float()[:, None]
        self.images = self.masks + 0.5 * torch.randn(self.masks.shape, generator=g)

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        return self.images[i], self.masks[i]


def build():
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(),
        nn.Conv2d(8, 8, 3, padding=1), nn.ReLU(),
        nn.Conv2d(8, 1, 1),
    )


if __name__ == "__main__":
    torch.manual_seed(0)
    loader = DataLoader(Blobs(160), batch_size=20, shuffle=True)
    unet, loss_fn = build(), DiceLoss()
    opt = torch.optim.Adam(unet.parameters(), lr=1e-2)
    for epoch in range(6):
        total = 0.0
        for image, mask in loader:
            loss = loss_fn(unet(image), mask)
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item()
        print(f"epoch {epoch}: dice loss {total / len(loader):.3f}")
