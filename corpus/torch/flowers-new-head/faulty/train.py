import torch
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset

from backbone import TinyResNet


def prepare_model(num_classes):
    model = TinyResNet(classes=10)
    model.fc = nn.Linear(model.fc.in_features, num_classes)
    for param in model.parameters():
        param.requires_grad = False
    return model


def flower_images(n):
    g = torch.Generator().manual_seed(23)
    y = torch.randint(0, 3, (n,), generator=g)
    x = 0.5 * torch.randn(n, 3, 12, 12, generator=g)
    x[torch.arange(n), y] += 0.8
    return TensorDataset(x, y)


def main():
    torch.manual_seed(0)
    loader = DataLoader(flower_images(256), batch_size=32, shuffle=True)
    model = prepare_model(3)
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(6):
        model.train()
        hits = 0
        for x, y in loader:
            optimizer.zero_grad()
            out = model(x)
            loss = criterion(out, y)
            loss.backward()
            optimizer.step()
            hits += (out.argmax(1) == y).sum().item()
        print(f"Epoch {epoch}: loss {loss.item():.3f} acc {hits / 256:.3f}")


if __name__ == "__main__":
    main()
