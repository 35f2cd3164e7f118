import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from factory import build_model


def applicants(n):
    g = torch.Generator().manual_seed(90)
    income = 30 + 12 * torch.randn(n, generator=g)
    age = 42 + 11 * torch.randn(n, generator=g)
    debt = 8 + 4 * torch.randn(n, generator=g)
    years = 6 + 3 * torch.randn(n, generator=g)
    score = (income - 30) / 12 - (debt - 8) / 4 + 0.7 * (years - 6) / 3
    return TensorDataset(torch.stack([income, age, debt, years], 1), (score > 0).long())


def train_epoch(model, loader, optimizer):
    total = 0.0
    right = 0
    for x, y in loader:
        out = model(x)
        loss = nn.functional.cross_entropy(out, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
        right += (out.argmax(1) == y).sum().item()
    return total / len(loader), right / len(loader.dataset)


if __name__ == "__main__":
    torch.manual_seed(0)
    net = build_model(4, 2)
    data = DataLoader(applicants(512), batch_size=64, shuffle=True)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    for epoch in range(6):
        loss, acc = train_epoch(net, data, optimizer)
        print(f"epoch {epoch} loss {loss:.4f} acc {acc:.3f}")
