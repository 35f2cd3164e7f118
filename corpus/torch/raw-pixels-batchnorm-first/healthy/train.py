import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Tiles(Dataset):
    def __init__(self, n, seed):
        rng = np.random.default_rng(seed)
        self.kind = rng.integers(0, 3, n)
        base = rng.integers(20, 120, (n, 1, 1, 3))
        img = base + rng.normal(0, 18, (n, 10, 10, 3))
        for i, k in enumerate(self.kind):
            if k == 0:
                img[i, ::2] += 70
            elif k == 1:
                img[i, :, ::2] += 70
            else:
                img[i, ::2, ::2] += 90
        self.img = img.clip(0, 255).astype(np.uint8)

    def __len__(self):
        return len(self.kind)

    def __getitem__(self, i):
        return torch.from_numpy(self.img[i]).permute(2, 0, 1).float(), int(self.kind[i])


def network():
    return nn.Sequential(
        nn.BatchNorm2d(3), nn.Conv2d(3, 12, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(12, 12, 3), nn.ReLU(), nn.Flatten(), nn.Linear(48, 3),
    )


def main():
    torch.manual_seed(75)
    train, test = DataLoader(Tiles(360, 1), 36, shuffle=True), DataLoader(Tiles(90, 2), 90)
    net, criterion = network(), nn.CrossEntropyLoss()
    opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    for epoch in range(8):
        net.train()
        for img, kind in train:
            loss = criterion(net(img), kind)
            opt.zero_grad()
            loss.backward()
            opt.step()
        net.eval()
        with torch.no_grad():
            img, kind = next(iter(test))
            print(f"epoch {epoch} loss {loss.item():.3f} acc {(net(img).argmax(1) == kind).float().mean().item():.3f}")


main()
