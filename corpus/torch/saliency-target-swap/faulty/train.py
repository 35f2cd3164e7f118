import torch
from torch import nn

from losses import identity_distance


class Mapper(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(width, 32), nn.ReLU(), nn.Linear(32, width))

    def forward(self, batch):
        batch["embedding"] = self.layers(batch["signal"])
        return batch


def make_batches(count, size, width):
    g = torch.Generator().manual_seed(12)
    mix = torch.randn(width, width, generator=g) / width ** 0.5
    for _ in range(count):
        x = torch.randn(size, width, generator=g)
        yield {"signal": x.requires_grad_(True), "reference": (x @ mix).detach()}


class Loop:
    def __init__(self):
        torch.manual_seed(1)
        self.model = Mapper(8)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=1e-2)
        self.saliency = torch.zeros(8)

    def run(self, steps):
        for i, batch in enumerate(make_batches(steps, 32, 8)):
            self.optimizer.zero_grad()
            loss = identity_distance(self.model(batch))
            loss.backward()
            self.optimizer.step()
            self.saliency += batch["signal"].grad.abs().mean(0)
            if i % 40 == 39:
                print(f"iter {i + 1} distance {loss.item():.4f} saliency {self.saliency.mean().item():.3f}")


Loop().run(240)
