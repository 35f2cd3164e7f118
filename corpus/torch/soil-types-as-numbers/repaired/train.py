import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset

TYPES = ["sand", "clay", "loam", "peat", "chalk", "silt"]


class Soil(Dataset):
    def __init__(self, n=360, seed=302):
        g = torch.Generator().manual_seed(seed)
        self.kind = torch.randint(0, len(TYPES), (n,), generator=g)
        profile = 1.3 * torch.randn(len(TYPES), 10, generator=g)
        self.readings = profile[self.kind] + torch.randn(n, 10, generator=g)

    def __len__(self):
        return len(self.kind)

    def __getitem__(self, i):
        return self.readings[i], self.kind[i]


class SoilModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(10, 12), nn.ReLU())
        self.head = nn.Linear(12, len(TYPES))

    def forward(self, x):
        return self.head(self.body(x))

    def loss(self, x, kind):
        return F.cross_entropy(self(x), kind)

    @torch.no_grad()
    def predict(self, x):
        return self(x).argmax(1)


def main():
    torch.manual_seed(302)
    data = Soil()
    model = SoilModel()
    opt = torch.optim.Adam(model.parameters(), lr=0.01)
    for epoch in range(7):
        for x, kind in DataLoader(data, 36, shuffle=True):
            loss = model.loss(x, kind)
            opt.zero_grad()
            loss.backward()
            opt.step()
        acc = (model.predict(data.readings) == data.kind).float().mean().item()
        print(f"epoch {epoch} loss {loss.item():.4f} types right {acc:.3f}")


main()
