import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.ffn = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, x):
        return x.add(self.ffn(self.norm(x)))


class FareNet(nn.Module):
    def __init__(self, n_in, width=24, depth=2):
        super().__init__()
        self.stem = nn.Linear(n_in, width)
        self.blocks = nn.ModuleList(Block(width) for _ in range(depth))
        self.readout = nn.Linear(width, 1)

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.readout(x).squeeze(-1)


def trips(n):
    g = torch.Generator().manual_seed(19)
    start, end = torch.rand(n, 2, generator=g), torch.rand(n, 2, generator=g)
    hour = torch.rand(n, 1, generator=g)
    fare = 4 * (start - end).norm(dim=1) + (6.28 * hour.squeeze(1)).sin()
    return TensorDataset(torch.cat([start, end, hour], 1), fare - fare.mean())


def main():
    torch.manual_seed(0)
    loader = DataLoader(trips(800), batch_size=40, shuffle=True)
    net = FareNet(5)
    opt = torch.optim.AdamW(net.parameters(), lr=5e-3)
    for epoch in range(8):
        total = 0.0
        for x, fare in loader:
            loss = nn.functional.mse_loss(net(x), fare)
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item()
        print(f"epoch {epoch}: mse {total / len(loader):.4f}")


main()
