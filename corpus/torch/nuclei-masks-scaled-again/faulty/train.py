import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from transforms import default_pipeline


class Nuclei(Dataset):
    def __init__(self, count, size=24, seed=4, pipeline=default_pipeline):
        rng = np.random.default_rng(seed)
        yy, xx = np.mgrid[:size, :size]
        self.items = []
        for _ in range(count):
            mask = np.zeros((size, size), bool)
            for _ in range(3):
                cy, cx, r = rng.uniform(4, size - 4), rng.uniform(4, size - 4), rng.uniform(2, 4)
                mask |= (yy - cy) ** 2 + (xx - cx) ** 2 < r * r
            image = np.clip(60 + 110 * mask + rng.normal(0, 25, (size, size)), 0, 255).astype(np.uint8)
            self.items.append((image, (mask * 255).astype(np.uint8)))
        self.pipeline = pipeline

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return self.pipeline(*self.items[i])


class TinyUNet(nn.Module):
    def __init__(self, ch=8):
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(1, ch, 3, padding=1), nn.ReLU())
        self.mid = nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(ch, ch, 3, padding=1), nn.ReLU(), nn.Upsample(scale_factor=2))
        self.out = nn.Conv2d(2 * ch, 1, 1)

    def forward(self, x):
        a = self.down(x)
        return self.out(torch.cat([a, self.mid(a)], 1))


def dice(net, data):
    net.eval()
    with torch.no_grad():
        num = den = 0.0
        for image, raw in data.items:
            truth = torch.from_numpy(raw > 127)
            pred = net(torch.from_numpy(image).float().div(255)[None, None])[0, 0] > 0
            num += 2 * (pred & truth).sum().item()
            den += (pred.sum() + truth.sum()).item()
    return num / max(den, 1)


def main():
    torch.manual_seed(4)
    data = Nuclei(96)
    net = TinyUNet()
    opt = torch.optim.Adam(net.parameters(), lr=1e-2)
    bce = nn.BCEWithLogitsLoss()
    for epoch in range(6):
        net.train()
        for image, mask in DataLoader(data, batch_size=12, shuffle=True):
            opt.zero_grad()
            loss = bce(net(image), mask)
            loss.backward()
            opt.step()
        print(f"[{epoch}] bce {loss.item():.5f}")
    print("dice", round(dice(net, data), 3))


if __name__ == "__main__":
    main()
