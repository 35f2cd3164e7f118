"""Recognise people by a vector of their badge photograph."""

import torch
import torch.nn.functional as F
from settings import Settings
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Recogniser(nn.Module):
    def __init__(self, width, people):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(32, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
        self.head = nn.Linear(width, people)

    def forward(self, photo):
        return self.head(self.body(photo))


class Trainer:
    def __init__(self, settings):
        self.settings = settings
        self.model = Recogniser(settings.width, settings.people)
        self.optimizer = torch.optim.SGD(
            self.model.parameters(),
            lr=settings.rate,
            momentum=settings.momentum,
            weight_decay=settings.weight_decay,
        )

    def epoch(self, loader):
        total = 0.0
        for photos, people in loader:
            self.optimizer.zero_grad()
            loss = F.cross_entropy(self.model(photos), people)
            loss.backward()
            self.optimizer.step()
            total += loss.item()
        return total / len(loader)


def main():
    torch.manual_seed(3)
    settings = Settings()
    faces = torch.randn(settings.people, 32)
    people = torch.randint(settings.people, (480,))
    photos = faces[people] + 0.5 * torch.randn(480, 32)
    loader = DataLoader(TensorDataset(photos, people), batch_size=32, shuffle=True)
    trainer = Trainer(settings)
    for epoch in range(settings.epochs):
        print(f"epoch {epoch}: {trainer.epoch(loader):.3f}")


if __name__ == "__main__":
    main()
