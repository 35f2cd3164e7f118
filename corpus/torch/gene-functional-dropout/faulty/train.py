import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class ExpressionNet(nn.Module):
    def __init__(self, genes, kinds):
        super().__init__()
        self.fc1 = nn.Linear(genes, 64)
        self.fc2 = nn.Linear(64, kinds)

    def forward(self, x):
        x = F.dropout(x, p=0.4)
        x = F.relu(self.fc1(x))
        return self.fc2(x)


def samples(n, seed):
    g = torch.Generator().manual_seed(seed)
    signature = torch.randn(5, 30, generator=torch.Generator().manual_seed(1))
    y = torch.randint(0, 5, (n,), generator=g)
    return TensorDataset(0.7 * signature[y] + torch.randn(n, 30, generator=g), y)


def test(model, loader):
    model.eval()
    with torch.no_grad():
        return sum((model(x).argmax(1) == y).sum().item() for x, y in loader) / len(loader.dataset)


def main():
    torch.manual_seed(0)
    train_dl = DataLoader(samples(600, 2), batch_size=50, shuffle=True)
    test_dl = DataLoader(samples(400, 3), batch_size=200)
    model = ExpressionNet(30, 5)
    opt = torch.optim.Adam(model.parameters(), lr=3e-3)
    for epoch in range(6):
        model.train()
        for x, y in train_dl:
            loss = F.cross_entropy(model(x), y)
            opt.zero_grad()
            loss.backward()
            opt.step()
        print(f"epoch {epoch} loss {loss.item():.3f} test {test(model, test_dl):.3f} again {test(model, test_dl):.3f}")


main()
