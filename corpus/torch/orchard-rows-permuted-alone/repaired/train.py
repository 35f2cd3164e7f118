import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import dataprep

BATCH, EPOCHS = 32, 10


def tensors(pair):
    return TensorDataset(torch.from_numpy(pair[0]), torch.from_numpy(pair[1]))


def accuracy(model, dataset):
    x, y = dataset.tensors
    model.eval()
    with torch.no_grad():
        value = (model(x).argmax(1) == y).float().mean().item()
    model.train()
    return value


def main():
    torch.manual_seed(28)
    train_part, test_part = map(tensors, dataprep.split(*dataprep.simulate()))
    model = nn.Sequential(nn.Linear(7, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 3))
    opt = torch.optim.Adam(model.parameters(), lr=5e-3)
    loss_fn = nn.CrossEntropyLoss()
    for epoch in range(EPOCHS):
        for x, y in DataLoader(train_part, BATCH, shuffle=True):
            opt.zero_grad()
            loss = loss_fn(model(x), y)
            loss.backward()
            opt.step()
        print(f"{epoch} loss {loss.item():.3f} train {accuracy(model, train_part):.3f} test {accuracy(model, test_part):.3f}")


if __name__ == "__main__":
    main()
