import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset


class Strokes(Dataset):
    """16x16 pictures with one horizontal and one vertical stroke."""

    def __init__(self, n, seed):
        g = torch.Generator().manual_seed(seed)
        self.rows = torch.randint(1, 14, (n,), generator=g)
        self.cols = torch.randint(1, 14, (n,), generator=g)

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        img = torch.zeros(1, 16, 16)
        img[0, self.rows[i]:self.rows[i] + 2] = 0.8
        img[0, :, self.cols[i]:self.cols[i] + 2] = 0.8
        return img


class AutoEncoder(nn.Module):
    def __init__(self, code=24):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 8, 3, stride=2, padding=1), nn.ReLU(),
            nn.Conv2d(8, 16, 3, stride=2, padding=1), nn.ReLU(),
            nn.Flatten(), nn.Linear(256, code),
        )
        self.decoder = nn.Sequential(
            nn.Linear(code, 256), nn.ReLU(), nn.Unflatten(1, (16, 4, 4)),
            nn.ConvTranspose2d(16, 8, 4, stride=2, padding=1), nn.ReLU(),
            nn.ConvTranspose2d(8, 1, 4, stride=2, padding=1), nn.Sigmoid(),
        )

    def forward(self, x):
        return self.decoder(self.encoder(x))


def main():
    torch.manual_seed(0)
    loader = DataLoader(Strokes(320, seed=1), batch_size=32, shuffle=True)
    unseen = Strokes(64, seed=2)
    held = torch.stack([unseen[i] for i in range(len(unseen))])
    net = AutoEncoder()
    opt = torch.optim.Adam(net.parameters(), lr=1e-2)
    criterion = nn.MSELoss()
    for epoch in range(12):
        net.train()
        total = 0.0
        for img in loader:
            opt.zero_grad()
            loss = criterion(net(img), img)
            loss.backward()
            opt.step()
            total += loss.item() * len(img)
        net.eval()
        with torch.no_grad():
            val = criterion(net(held), held)
        print(f"epoch {epoch:2d} train {total / 320:.4f} val {val:.4f}")


if __name__ == "__main__":
    main()
