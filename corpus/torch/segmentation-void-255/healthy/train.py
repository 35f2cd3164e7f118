import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset

VOID = 255


class Scenes(Dataset):
    def __init__(self, n, seed):
        g = torch.Generator().manual_seed(seed)
        self.images = torch.empty(n, 3, 16, 16)
        self.masks = torch.zeros(n, 16, 16, dtype=torch.long)
        palette = torch.tensor([[0.1, 0.2, 0.1], [0.9, 0.3, 0.2], [0.2, 0.4, 0.9]])
        for i in range(n):
            for c in (1, 2):
                r, k = torch.randint(1, 9, (2,), generator=g).tolist()
                self.masks[i, r:r + 6, k:k + 6] = c
            self.images[i] = palette[self.masks[i]].permute(2, 0, 1) + 0.15 * torch.randn(3, 16, 16, generator=g)
        edge = torch.zeros(16, 16, dtype=torch.bool)
        edge[[0, -1]] = True
        edge[:, [0, -1]] = True
        self.masks[:, edge] = VOID

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        return self.images[i], self.masks[i]


class UNetlet(nn.Module):
    def __init__(self, classes=3):
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(3, 12, 3, padding=1), nn.ReLU())
        self.mid = nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(), nn.Upsample(scale_factor=2))
        self.up = nn.Sequential(nn.Conv2d(36, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, classes, 1))

    def forward(self, x):
        a = self.down(x)
        return self.up(torch.cat([a, self.mid(a)], 1))


def mean_iou(pred, mask):
    valid = mask != VOID
    ious = []
    for c in range(3):
        p, m = (pred == c) & valid, (mask == c) & valid
        ious.append(((p & m).sum() / (p | m).sum().clamp(min=1)).item())
    return sum(ious) / 3


def main():
    torch.manual_seed(3)
    train = DataLoader(Scenes(96, 1), batch_size=12, shuffle=True, drop_last=True)
    val_img, val_mask = Scenes(24, 2)[:]
    net = UNetlet()
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-2)
    criterion = nn.CrossEntropyLoss(ignore_index=VOID)
    for epoch in range(7):
        for image, mask in train:
            loss = criterion(net(image), mask)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            iou = mean_iou(net(val_img).argmax(1), val_mask)
        print(f"epoch {epoch} loss {loss.item():.3f} mIoU {iou:.3f}")


if __name__ == "__main__":
    main()
