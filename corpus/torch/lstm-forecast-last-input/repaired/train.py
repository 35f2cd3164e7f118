import math

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class WindowedSeries(Dataset):
    def __init__(self, series, width):
        self.series, self.width = series, width

    def __len__(self):
        return len(self.series) - self.width

    def __getitem__(self, i):
        window = self.series[i:i + self.width].unsqueeze(-1)
        upcoming = self.series[i + self.width].reshape(1)
        return window, upcoming


class Forecaster(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.rnn = nn.LSTM(1, hidden, batch_first=True)
        self.out = nn.Linear(hidden, 1)

    def forward(self, window):
        states, _ = self.rnn(window)
        return self.out(states[:, -1])


class Trainer:
    def __init__(self, model, loader, lr):
        self.model, self.loader = model, loader
        self.optim = torch.optim.Adam(model.parameters(), lr=lr)
        self.criterion = nn.MSELoss()

    def step(self, window, upcoming):
        forecast = self.model(window)
        loss = self.criterion(forecast, upcoming)
        self.optim.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optim.step()
        return loss.item()

    def fit(self, epochs):
        for epoch in range(epochs):
            losses = [self.step(w, u) for w, u in self.loader]
            print(f"epoch {epoch} train mse {sum(losses) / len(losses):.4f}")

    @torch.no_grad()
    def score(self):
        errs = [(self.model(w) - u).pow(2).mean() for w, u in self.loader]
        return torch.stack(errs).mean().item()


if __name__ == "__main__":
    torch.manual_seed(0)
    t = torch.arange(420, dtype=torch.float32)
    wave = torch.sin(2 * math.pi * t / 5) + 0.5 * torch.sin(2 * math.pi * t / 17)
    data = WindowedSeries(wave, width=18)
    trainer = Trainer(Forecaster(), DataLoader(data, batch_size=32, shuffle=True), lr=0.01)
    trainer.fit(6)
    print(f"one step ahead mse {trainer.score():.4f}")
