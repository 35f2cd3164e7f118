import torch
from torch.utils.data import DataLoader, TensorDataset

from net import GlyphNet

EPOCHS = 6


def glyphs(n):
    g = torch.Generator().manual_seed(42)
    stamps = (torch.rand(5, 1, 16, 16, generator=g) > 0.5).float()
    y = torch.randint(0, 5, (n,), generator=g)
    return stamps[y] + 0.5 * torch.randn(n, 1, 16, 16, generator=g), y


def train_epoch(net, loader, opt):
    total = 0.0
    for images, classes in loader:
        scores = net(images)
        loss = torch.nn.functional.cross_entropy(scores, classes)
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item()
    return total / len(loader)


if __name__ == "__main__":
    torch.manual_seed(42)
    x, y = glyphs(256)
    net = GlyphNet()
    opt = torch.optim.RMSprop(net.parameters(), lr=1e-3)
    for e in range(EPOCHS):
        print(e, round(train_epoch(net, DataLoader(TensorDataset(x, y), 32), opt), 4))
    print("accuracy", (net(x).argmax(1) == y).float().mean().item())
