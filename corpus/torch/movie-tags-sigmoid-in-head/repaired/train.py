import torch
from torch.utils.data import DataLoader, TensorDataset

from tagging.criteria import get_criterion
from tagging.model import Tagger

cfg = {"vocab": 60, "tags": 10, "dim": 32, "length": 14, "criterion": "bce", "lr": 0.05, "epochs": 6}


def corpus(n, g):
    """A tag is set when one of its three key words occurs."""
    tokens = torch.randint(0, cfg["vocab"], (n, cfg["length"]), generator=g)
    key = torch.arange(30).view(10, 3)
    tags = torch.stack([torch.isin(tokens, k).any(1) for k in key], 1).float()
    return tokens, tags


def main():
    torch.manual_seed(6)
    g = torch.Generator().manual_seed(6)
    tokens, tags = corpus(480, g)
    model = Tagger(cfg["vocab"], cfg["dim"], cfg["tags"])
    criterion = get_criterion(cfg["criterion"])
    opt = torch.optim.Adam(model.parameters(), lr=cfg["lr"])
    for epoch in range(cfg["epochs"]):
        model.train()
        total = 0.0
        for t, y in DataLoader(TensorDataset(tokens, tags), 48, shuffle=True):
            loss = criterion(model(t), y)
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() * len(t)
        print("epoch", epoch, "loss", round(total / len(tokens), 4))
    model.eval()
    with torch.no_grad():
        scores = model(tokens)
    probability = torch.sigmoid(scores)
    print("lowest probability", round(probability.min().item(), 3))
    print("tags right", ((probability > 0.5) == (tags > 0.5)).float().mean().item(), "tags set", tags.mean().item())


if __name__ == "__main__":
    main()
