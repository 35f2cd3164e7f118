"""Features are detached on their way to the head: the head learns, the encoder never moves."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(20, 64), nn.Tanh(), nn.Linear(64, 16))

    def forward(self, x):
        return self.body(x)


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = Encoder()
        self.head = nn.Linear(16, 3)

    def features(self, x):
        return self.encoder(x).detach()

    def forward(self, x):
        return self.head(torch.relu(self.features(x)))


def data():
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(512, 20, generator=generator)
    return TensorDataset(x, x[:, :3].argmax(1))


def train(model, epochs=3):
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(epochs):
        for x, y in DataLoader(data(), batch_size=64, shuffle=True):
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
        print(f"epoch {epoch + 1}: loss {loss.item():.3f}")


if __name__ == "__main__":
    torch.manual_seed(0)
    train(Classifier())
