import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from smoothing import smooth

CLASSES, AMOUNT = 12, 0.1


def main():
    torch.manual_seed(311)
    g = torch.Generator().manual_seed(311)
    y = torch.randint(0, CLASSES, (480,), generator=g)
    x = torch.randn(CLASSES, 20, generator=g)[y] + 0.6 * torch.randn(480, 20, generator=g)
    net = nn.Sequential(nn.Linear(20, 64), nn.GELU(), nn.LayerNorm(64), nn.Linear(64, CLASSES))
    opt = torch.optim.AdamW(net.parameters(), lr=0.01)
    loss_fn = nn.CrossEntropyLoss()
    for epoch in range(8):
        for xb, yb in DataLoader(TensorDataset(x, y), 48, shuffle=True):
            loss = loss_fn(net(xb), smooth(yb, CLASSES, AMOUNT))
            opt.zero_grad()
            loss.backward()
            opt.step()
        with torch.no_grad():
            p = net(x).softmax(1)
        own = p.gather(1, y[:, None]).mean().item()
        print(f"epoch {epoch} loss {loss.item():.4f} right {(p.argmax(1) == y).float().mean():.3f} own class {own:.3f}")


if __name__ == "__main__":
    main()
