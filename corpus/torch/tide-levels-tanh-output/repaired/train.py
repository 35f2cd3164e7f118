import math

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Tides(Dataset):
    def __init__(self, hours=500, window=16):
        t = torch.arange(hours, dtype=torch.float32)
        self.level = 2.2 * torch.sin(2 * math.pi * t / 12.4) + 0.9 * torch.sin(2 * math.pi * t / 25.8)
        self.window = window

    def __len__(self):
        return len(self.level) - self.window

    def __getitem__(self, i):
        return self.level[i:i + self.window, None], self.level[i + self.window]


class TideNet(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.gru = nn.GRU(1, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, 1)

    def forward(self, seq):
        _, h = self.gru(seq)
        return self.fc(h[0]).squeeze(1)


def train(model, loader, epochs):
    opt = torch.optim.Adam(model.parameters(), lr=0.01)
    for epoch in range(epochs):
        model.train()
        for seq, nxt in loader:
            opt.zero_grad()
            loss = nn.functional.l1_loss(model(seq), nxt)
            loss.backward()
            opt.step()
        print(f"epoch {epoch} abs error {loss.item():.4f}")


if __name__ == "__main__":
    torch.manual_seed(306)
    tides = Tides()
    model = TideNet()
    train(model, DataLoader(tides, batch_size=44, shuffle=True), epochs=7)
    with torch.no_grad():
        out = torch.stack([model(tides[i][0][None])[0] for i in range(0, 400, 5)])
    print("forecasts between", round(out.min().item(), 2), "and", round(out.max().item(), 2))
