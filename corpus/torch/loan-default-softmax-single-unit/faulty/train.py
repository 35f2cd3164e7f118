import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split


def loans(n, g):
    x = torch.randn(n, 8, generator=g)
    risk = 1.5 * x[:, 0] - x[:, 3] + x[:, 5] * x[:, 6]
    return TensorDataset(x, (risk > 0).float().unsqueeze(1))


def build_model(n_features, n_outputs=1):
    return nn.Sequential(
        nn.Linear(n_features, 32),
        nn.ReLU(),
        nn.Linear(32, 16),
        nn.ReLU(),
        nn.Linear(16, n_outputs),
        nn.Softmax(dim=1),
    )


def epoch_loss(model, loader, criterion, optimizer=None):
    total = 0.0
    for x, y in loader:
        with torch.set_grad_enabled(optimizer is not None):
            loss = criterion(model(x), y)
        if optimizer is not None:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        total += loss.item()
    return total / len(loader)


def main():
    torch.manual_seed(208)
    train_set, val_set = random_split(loans(400, torch.Generator().manual_seed(208)), [320, 80])
    train_loader = DataLoader(train_set, 32, shuffle=True)
    val_loader = DataLoader(val_set, 80)
    model = build_model(8)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    criterion = nn.BCELoss()
    for epoch in range(6):
        print(f"Epoch {epoch}: train {epoch_loss(model, train_loader, criterion, optimizer):.4f} "
              f"val {epoch_loss(model, val_loader, criterion):.4f}")


if __name__ == "__main__":
    main()
