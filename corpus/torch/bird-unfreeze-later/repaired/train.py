import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from callbacks import Unfreeze


class Recogniser(nn.Module):
    def __init__(self, classes=4):
        super().__init__()
        self.backbone = nn.Sequential(
            nn.Conv2d(1, 6, 5, stride=2), nn.ReLU(), nn.Conv2d(6, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        )
        self.head = nn.Linear(2, classes)

    def forward(self, x):
        return self.head(self.backbone(x))


def calls(n, seed):
    """Tiny spectrograms: stripes of four orientations."""
    g = torch.Generator().manual_seed(seed)
    yy, xx = torch.meshgrid(torch.arange(14.0), torch.arange(14.0), indexing="ij")
    y = torch.randint(0, 4, (n,), generator=g)
    angle = y * torch.pi / 4
    ramp = torch.cos(angle)[:, None, None] * xx + torch.sin(angle)[:, None, None] * yy
    phase = torch.rand(n, generator=g)[:, None, None] * 6.28
    return TensorDataset((torch.sin(ramp * 1.6 + phase) + 0.2 * torch.randn(n, 14, 14, generator=g))[:, None], y)


def fit(model, loader, epochs, callbacks):
    for p in model.backbone.parameters():
        p.requires_grad = False
    optimizer = torch.optim.Adam(model.head.parameters(), lr=0.02)
    for epoch in range(epochs):
        for cb in callbacks:
            cb.on_epoch_start(epoch, model, optimizer)
        right = 0
        for x, y in loader:
            out = model(x)
            loss = nn.functional.cross_entropy(out, y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            right += (out.argmax(1) == y).sum().item()
        print(f"epoch {epoch}: acc {right / len(loader.dataset):.3f}")


if __name__ == "__main__":
    torch.manual_seed(7)
    fit(Recogniser(), DataLoader(calls(384, 5), batch_size=48, shuffle=True), 14, [Unfreeze(at_epoch=4, lr=0.01)])
