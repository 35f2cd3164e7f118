import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from leafnet import LeafNet

BATCH, LR, EPOCHS = 32, 0.1, 12


def leaves(n, g):
    y = torch.randint(0, 10, (n,), generator=g)
    veins = torch.rand(10, 1, 10, 10, generator=g)
    return TensorDataset(veins[y] + 0.25 * torch.randn(n, 1, 10, 10, generator=g), y)


def train_loop(loader, model, loss_fn, optimizer):
    size, correct = len(loader.dataset), 0
    for batch, (x, y) in enumerate(loader):
        pred = model(x)
        loss = loss_fn(pred, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        correct += (pred.argmax(1) == y).sum().item()
    return loss.item(), correct / size


if __name__ == "__main__":
    torch.manual_seed(308)
    data = leaves(480, torch.Generator().manual_seed(308))
    model = LeafNet()
    optimizer = torch.optim.SGD(model.parameters(), lr=LR)
    for t in range(EPOCHS):
        loss, acc = train_loop(DataLoader(data, BATCH, shuffle=True), model, nn.CrossEntropyLoss(), optimizer)
        print(f"Epoch {t + 1} loss {loss:.4f} accuracy {acc:.3f}")
