import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from seglosses import OverlapWithSmoothness


class Squares(Dataset):
    """Bright rectangles on a noisy background."""

    def __init__(self, n, side=24, seed=11):
        g = torch.Generator().manual_seed(seed)
        self.images = 0.3 * torch.randn(n, 1, side, side, generator=g)
        self.masks = torch.zeros(n, 1, side, side)
        for i in range(n):
            r, c = torch.randint(1, side - 10, (2,), generator=g).tolist()
            h, w = torch.randint(6, 10, (2,), generator=g).tolist()
            self.masks[i, 0, r:r + h, c:c + w] = 1
        self.images += self.masks

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        return self.images[i], self.masks[i]


def conv_block(cin, cout):
    return nn.Sequential(nn.Conv2d(cin, cout, 3, padding=1), nn.BatchNorm2d(cout), nn.ReLU())


def main():
    torch.manual_seed(11)
    data = Squares(128)
    loader = DataLoader(data, batch_size=16, shuffle=True)
    net = nn.Sequential(conv_block(1, 8), conv_block(8, 8), nn.Conv2d(8, 1, 1))
    objective = OverlapWithSmoothness()
    opt = torch.optim.Adam(net.parameters(), lr=5e-3)
    for epoch in range(5):
        total = 0.0
        for img, msk in loader:
            opt.zero_grad()
            loss = objective(net(img), msk)
            loss.backward()
            opt.step()
            total += loss.item()
        print("epoch", epoch, "objective %.4f" % (total / len(loader)))
    net.eval()
    with torch.no_grad():
        pred = net(data.images) > 0
        truth = data.masks > 0.5
        print("IoU %.3f" % ((pred & truth).sum() / (pred | truth).sum()).item())


main()
