import random

import torch
from torch import nn
from torch.utils.data import DataLoader, Sampler, TensorDataset


class GroupedSampler(Sampler):
    """Iterates over all examples once an epoch."""

    def __init__(self, labels, seed=0):
        self.labels = labels.tolist()
        self.rng = random.Random(seed)

    def __len__(self):
        return len(self.labels)

    def __iter__(self):
        groups = {}
        for i, k in enumerate(self.labels):
            groups.setdefault(k, []).append(i)
        order = []
        for k in sorted(groups):
            self.rng.shuffle(groups[k])
            order.extend(groups[k])
        return iter(order)


class BirdCalls(TensorDataset):
    def __init__(self, n=400, species=5, seed=110):
        g = torch.Generator().manual_seed(seed)
        y = torch.arange(n) % species
        base = torch.randn(species, 24, generator=g)
        super().__init__(base[y] + 0.9 * torch.randn(n, 24, generator=g), y)


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(24, 40)
        self.norm = nn.LayerNorm(40)
        self.score = nn.Linear(40, 5)

    def forward(self, x):
        return self.score(torch.relu(self.norm(self.hidden(x))))


def main(epochs=4):
    torch.manual_seed(110)
    calls = BirdCalls()
    x, y = calls.tensors
    loader = DataLoader(calls, batch_size=20, sampler=GroupedSampler(y))
    model = Classifier()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for epoch in range(epochs):
        history = []
        for xb, yb in loader:
            loss = nn.functional.cross_entropy(model(xb), yb)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            history.append(loss.item())
        acc = (model(x).argmax(1) == y).float().mean().item()
        print(f"epoch {epoch} lowest {min(history):.3f} highest {max(history):.3f} accuracy {acc:.3f}")


if __name__ == "__main__":
    main()
