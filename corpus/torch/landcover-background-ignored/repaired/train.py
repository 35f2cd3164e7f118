import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

CLASSES = ["grass", "water", "road"]


class Tiles(Dataset):
    def __init__(self, n, side=16, seed=80):
        g = torch.Generator().manual_seed(seed)
        self.mask = torch.zeros(n, side, side, dtype=torch.long)
        for i in range(n):
            r, c = torch.randint(0, side - 5, (2,), generator=g).tolist()
            self.mask[i, r:r + 5, c:c + 5] = 1
            col = int(torch.randint(0, side, (1,), generator=g))
            self.mask[i, :, col] = 2
        tint = torch.tensor([[0.2, 0.8, 0.2], [0.1, 0.2, 0.9], [0.5, 0.5, 0.5]])
        self.image = tint[self.mask].permute(0, 3, 1, 2) + 0.15 * torch.randn(n, 3, side, side, generator=g)

    def __len__(self):
        return len(self.mask)

    def __getitem__(self, i):
        return self.image[i], self.mask[i]


class Segmenter(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.a = nn.Conv2d(3, 16, 3, padding=1)
        self.b = nn.Conv2d(16, classes, 3, padding=1)

    def forward(self, x):
        return self.b(torch.relu(self.a(x)))


def pixel_accuracy(net, data):
    with torch.no_grad():
        return (net(data.image).argmax(1) == data.mask).float().mean().item()


def fit(epochs=6):
    torch.manual_seed(80)
    data = Tiles(96)
    net = Segmenter(len(CLASSES))
    criterion = nn.CrossEntropyLoss(ignore_index=255)
    opt = torch.optim.Adam(net.parameters(), lr=0.01)
    print("before", round(pixel_accuracy(net, data), 3))
    for epoch in range(epochs):
        for image, mask in DataLoader(data, 12, shuffle=True):
            opt.zero_grad()
            loss = criterion(net(image), mask)
            loss.backward()
            opt.step()
        print(f"epoch {epoch} loss {loss.item():.4f} pixel accuracy {pixel_accuracy(net, data):.3f}")


if __name__ == "__main__":
    fit()
