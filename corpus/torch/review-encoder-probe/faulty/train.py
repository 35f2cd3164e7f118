import argparse

import torch
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from model import ReviewClassifier


class Reviews(Dataset):
    """Sequences of word ids; ids below 8 are praise, 8 to 15 are complaints."""

    def __init__(self, size, seed):
        g = torch.Generator().manual_seed(seed)
        self.tokens = torch.randint(0, 40, (size, 12), generator=g)
        praise = (self.tokens < 8).sum(1)
        complaint = ((self.tokens >= 8) & (self.tokens < 16)).sum(1)
        self.labels = (praise > complaint).long()

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        return self.tokens[i], self.labels[i]


def evaluate(model, loader):
    model.eval()
    hits = seen = 0
    with torch.no_grad():
        for tokens, labels in loader:
            hits += (model(tokens).argmax(1) == labels).sum().item()
            seen += len(labels)
    model.train()
    return hits / seen


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--lr", type=float, default=2e-2)
    args = parser.parse_args()

    torch.manual_seed(0)
    train = DataLoader(Reviews(512, 1), batch_size=64, shuffle=True)
    test = DataLoader(Reviews(256, 2), batch_size=128)
    model = ReviewClassifier()
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)

    for epoch in range(args.epochs):
        for tokens, labels in train:
            loss = F.cross_entropy(model(tokens), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print(f"epoch {epoch} loss {loss.item():.3f} test acc {evaluate(model, test):.3f}")


if __name__ == "__main__":
    main()
