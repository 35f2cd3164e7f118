import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from settings import Settings


class KeywordNet(nn.Module):
    def __init__(self, mels=12, words=5):
        super().__init__()
        self.conv = nn.Conv1d(mels, 16, 3)
        self.fc = nn.Linear(16, words)

    def forward(self, x):
        return self.fc(self.conv(x).relu().mean(-1))


def keywords(n, seed):
    g = torch.Generator().manual_seed(seed)
    y = torch.randint(0, 5, (n,), generator=g)
    x = torch.randn(n, 12, 20, generator=g)
    x[torch.arange(n), y] += 1.0
    x[torch.arange(n), y + 6] -= 1.0
    return TensorDataset(x, y)


def train(cfg):
    torch.manual_seed(cfg.seed)
    loader = DataLoader(keywords(256, cfg.seed), batch_size=cfg.batch_size, shuffle=True)
    model = KeywordNet()
    optimizer = torch.optim.Adam(model.parameters(), lr=cfg.lr)
    for epoch in range(cfg.epochs):
        optimizer.zero_grad()
        total = 0.0
        for step, (x, y) in enumerate(loader, start=1):
            loss = nn.functional.cross_entropy(model(x), y)
            (loss / cfg.accumulate).backward()
            if step % cfg.accumulate == 0:
                optimizer.step()
                optimizer.zero_grad()
            total += loss.item()
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1} loss {total / len(loader):.4f}")


if __name__ == "__main__":
    train(Settings())
