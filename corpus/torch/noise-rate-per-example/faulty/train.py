import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def sounds(n=800):
    g = torch.Generator().manual_seed(38)
    y = torch.randint(0, 4, (n,), generator=g)
    spectrum = 0.5 * torch.randn(n, 24, generator=g)
    for k in range(6):
        spectrum[torch.arange(n), y * 6 + k] += 0.8
    return TensorDataset(spectrum, y)


class Solver:
    def __init__(self, model, data, lr=0.2, batch_size=40):
        self.model = model
        self.loader = DataLoader(data, batch_size=batch_size, shuffle=True)
        self.optimizer = torch.optim.SGD(model.parameters(), lr=lr / len(data), momentum=0.5)

    def solve(self, epochs):
        for epoch in range(epochs):
            total, right = 0.0, 0
            for spectrum, y in self.loader:
                out = self.model(spectrum)
                loss = nn.functional.cross_entropy(out, y)
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
                total += loss.item() * len(y)
                right += (out.argmax(1) == y).sum().item()
            print(f"epoch {epoch} loss {total / 800:.4f} acc {right / 800:.3f}")


torch.manual_seed(0)
Solver(nn.Sequential(nn.Linear(24, 32), nn.ReLU(), nn.Linear(32, 4)), sounds()).solve(6)
