import torch
from torch import nn

from gait import GaitClassifier, record

HPARAMS = {"channels": 4, "hidden": 32, "people": 4, "steps": 25, "batch": 20, "lr": 0.01, "epochs": 7}


def minibatches(x, y, size):
    order = torch.randperm(len(x))
    for start in range(0, len(x), size):
        rows = order[start:start + size]
        yield x[rows], y[rows]


def main(hp):
    torch.manual_seed(77)
    x, y = record(200, hp["steps"], hp["channels"], hp["people"], seed=77)
    model = GaitClassifier(hp["channels"], hp["hidden"], hp["people"])
    loss_fn = nn.CrossEntropyLoss()
    optim = torch.optim.Adam(model.parameters(), lr=hp["lr"])
    for epoch in range(hp["epochs"]):
        model.train()
        for xb, yb in minibatches(x, y, hp["batch"]):
            loss = loss_fn(model(xb), yb)
            optim.zero_grad()
            loss.backward()
            optim.step()
        model.eval()
        with torch.no_grad():
            acc = (model(x).argmax(-1) == y).float().mean().item()
        print(f"epoch {epoch:02d} | loss {loss.item():.3f} | acc {acc:.3f}")


if __name__ == "__main__":
    main(HPARAMS)
