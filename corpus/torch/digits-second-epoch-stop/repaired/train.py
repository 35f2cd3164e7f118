import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def glyphs(n, seed):
    g = torch.Generator().manual_seed(seed)
    shapes = torch.rand(5, 1, 8, 8, generator=torch.Generator().manual_seed(99)) > 0.6
    y = torch.randint(0, 5, (n,), generator=g)
    x = shapes[y].float() + 0.4 * torch.randn(n, 1, 8, 8, generator=g)
    return TensorDataset(x, y)


class SmallCNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3, padding=1)
        self.fc = nn.Linear(8 * 4 * 4, 5)

    def forward(self, x):
        x = nn.functional.max_pool2d(torch.relu(self.conv(x)), 2)
        return self.fc(x.flatten(1))


def train(model, loader, optimizer, loss_fn):
    model.train()
    total = 0.0
    for x, y in loader:
        optimizer.zero_grad()
        loss = loss_fn(model(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total / len(loader)


@torch.no_grad()
def validate(model, loader, loss_fn):
    model.eval()
    correct, total = 0, 0.0
    for x, y in loader:
        out = model(x)
        total += loss_fn(out, y).item()
        correct += (out.argmax(1) == y).sum().item()
    return total / len(loader), correct / len(loader.dataset)


def main():
    torch.manual_seed(1)
    train_loader = DataLoader(glyphs(320, 0), batch_size=32, shuffle=True)
    val_loader = DataLoader(glyphs(160, 1), batch_size=80)
    model = SmallCNN()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    loss_fn = nn.CrossEntropyLoss()
    for epoch in range(4):
        tr = train(model, train_loader, optimizer, loss_fn)
        va, acc = validate(model, val_loader, loss_fn)
        print(f"epoch {epoch}: train {tr:.3f} val {va:.3f} acc {acc:.3f}")


main()
