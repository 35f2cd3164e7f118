import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class SlidingWindow(Dataset):
    def __init__(self, series, lookback, horizon):
        self.series = torch.as_tensor(series, dtype=torch.float32)
        self.lookback, self.horizon = lookback, horizon

    def __len__(self):
        return len(self.series) - self.lookback - self.horizon + 1

    def __getitem__(self, i):
        mid = i + self.lookback
        return self.series[i:mid], self.series[mid:mid + self.horizon]


class DLinear(nn.Module):
    """Trend by moving average, rest apart, a linear map on each."""

    def __init__(self, lookback, horizon, kernel=5):
        super().__init__()
        self.pool = nn.AvgPool1d(kernel, stride=1, padding=kernel // 2, count_include_pad=False)
        self.trend, self.season = nn.Linear(lookback, horizon), nn.Linear(lookback, horizon)

    def forward(self, x):
        t = self.pool(x.unsqueeze(1)).squeeze(1)
        return self.trend(t) + self.season(x - t)


def electricity(n=900):
    rng = np.random.default_rng(90)
    t = np.arange(n)
    s = np.sin(2 * np.pi * t / 24) + 0.5 * np.sin(2 * np.pi * t / 12 + 1) + 0.0004 * t + 0.1 * rng.normal(size=n)
    return (s - s[:700].mean()) / s[:700].std()


torch.manual_seed(90)
series = electricity()
train = DataLoader(SlidingWindow(series[:700], 36, 6), batch_size=32, shuffle=False)
test = SlidingWindow(series[700:], 36, 6)
xt, yt = (torch.stack(v) for v in zip(*[test[i] for i in range(len(test))]))
model = DLinear(36, 6)
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
criterion = nn.MSELoss()
for epoch in range(10):
    losses = []
    for history, future in train:
        optimizer.zero_grad()
        loss = criterion(model(history), future)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    with torch.no_grad():
        print(f"epoch {epoch} train {np.mean(losses):.4f} test {criterion(model(xt), yt).item():.4f}")
