import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def mlp(sizes, last=None):
    layers = []
    for a, b in zip(sizes[:-1], sizes[1:]):
        if layers:
            layers.append(nn.ReLU())
        layers.append(nn.Linear(a, b))
    if last is not None:
        layers.append(last)
    return nn.Sequential(*layers)


def checkerboard(n):
    g = torch.Generator().manual_seed(6)
    xy = torch.rand(n, 2, generator=g) * 2 - 1
    return TensorDataset(xy, ((xy[:, 0] > 0) ^ (xy[:, 1] > 0)).float())


def train(epochs=10):
    torch.manual_seed(6)
    model = mlp([2, 32, 32, 16, 1], last=nn.Flatten(0))
    opt = torch.optim.Adam(model.parameters(), lr=1e-2)
    bce = nn.BCEWithLogitsLoss()
    loader = DataLoader(checkerboard(600), batch_size=60, shuffle=True)
    for epoch in range(epochs):
        right = 0
        for xy, side in loader:
            logit = model(xy)
            loss = bce(logit, side)
            opt.zero_grad()
            loss.backward()
            opt.step()
            right += ((logit > 0) == (side > 0.5)).sum().item()
        print(f"epoch {epoch} loss {loss.item():.3f} accuracy {right / 600:.3f}")


if __name__ == "__main__":
    train()
