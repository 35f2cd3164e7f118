import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SITES, FEATURES = 5, 9


def proteins(n, g):
    y = torch.multinomial(torch.tensor([0.5, 0.25, 0.1, 0.1, 0.05]), n, replacement=True, generator=g)
    centre = 0.9 * torch.randn(SITES, FEATURES, generator=g)
    return TensorDataset(centre[y] + torch.randn(n, FEATURES, generator=g), y)


class SiteNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(FEATURES, 24), nn.Linear(24, SITES)])
        self.norm = nn.LogSoftmax(dim=0)

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = torch.relu(layer(x))
        return self.norm(self.layers[-1](x))


def main():
    torch.manual_seed(212)
    g = torch.Generator().manual_seed(212)
    data = proteins(400, g)
    net, criterion = SiteNet(), nn.NLLLoss()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    for epoch in range(8):
        for x, y in DataLoader(data, 40, shuffle=True):
            loss = criterion(net(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print(f"epoch {epoch} nll {loss.item():.4f}")
    x, y = data.tensors
    with torch.no_grad():
        single = torch.cat([net(row[None]).argmax(1) for row in x])
    print("one at a time:", (single == y).float().mean().item(), "commonest class:", y.bincount().max().item() / len(y))


if __name__ == "__main__":
    main()
