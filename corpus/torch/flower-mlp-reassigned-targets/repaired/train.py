"""Small tabular classifier, four measurements, three species."""
import argparse

import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset


def load_measurements(rng, per_class=60):
    centres = np.array([[5.0, 3.4, 1.5, 0.2], [5.9, 2.8, 4.3, 1.3], [6.6, 3.0, 5.6, 2.0]])
    feats, species = [], []
    for k, c in enumerate(centres):
        feats.append(c + 0.3 * rng.standard_normal((per_class, 4)))
        species.append(np.full(per_class, k))
    feats = np.concatenate(feats).astype("float32")
    feats = (feats - feats.mean(0)) / feats.std(0)
    return torch.from_numpy(feats), torch.from_numpy(np.concatenate(species)).long()


def run_epoch(model, loader, criterion, optimizer):
    seen, running, hits = 0, 0.0, 0
    for inputs, labels in loader:
        optimizer.zero_grad()
        outputs = model(inputs)
        _, guess = torch.max(outputs, 1)
        loss = criterion(outputs, labels)
        loss.backward()
        optimizer.step()
        seen += inputs.size(0)
        running += loss.item() * inputs.size(0)
    return running / seen


def accuracy(model, x, y):
    model.eval()
    with torch.no_grad():
        acc = (model(x).argmax(1) == y).float().mean().item()
    model.train()
    return acc


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--hidden", type=int, default=24)
    args = parser.parse_args()
    torch.manual_seed(3)
    x, y = load_measurements(np.random.default_rng(3))
    loader = DataLoader(TensorDataset(x, y), batch_size=24, shuffle=True)
    model = nn.Sequential(nn.Linear(4, args.hidden), nn.ReLU(), nn.Linear(args.hidden, 3))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(args.epochs):
        print(epoch, round(run_epoch(model, loader, criterion, optimizer), 4))
    print("accuracy", round(accuracy(model, x, y), 3))
