import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Standardizer:
    def fit(self, a):
        self.mean, self.std = a.mean(0), a.std(0) + 1e-8
        return self

    def transform(self, a):
        return (a - self.mean) / self.std


def load_houses(seed=88, n=600):
    rng = np.random.default_rng(seed)
    area = rng.uniform(40, 250, n)
    rooms = np.round(area / 30 + rng.normal(0, 0.7, n))
    age = rng.uniform(0, 90, n)
    dist = rng.exponential(8, n)
    price = 3.1 * area + 12 * rooms - 0.9 * age - 6 * np.sqrt(dist) + rng.normal(0, 8, n)
    return np.column_stack([area, rooms, age, dist]), price


torch.manual_seed(88)
features, price = load_houses()
xs, ys = Standardizer().fit(features[:480]), Standardizer().fit(price[:480])
x = torch.tensor(xs.transform(features), dtype=torch.float32)
y = torch.tensor(ys.transform(price), dtype=torch.float32)
loader = DataLoader(TensorDataset(x[:480], y[:480]), batch_size=40, shuffle=True)

model = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 1))
loss_fn = nn.HuberLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=2, factor=0.5)

for epoch in range(15):
    model.train()
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = loss_fn(model(xb), yb.unsqueeze(1))
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        pred = model(x[480:]).squeeze(1)
        val = loss_fn(pred, y[480:])
        mae = (pred - y[480:]).abs().mean().item() * ys.std
    scheduler.step(val)
    if epoch % 3 == 2:
        print(f"epoch {epoch + 1} val {val.item():.4f} error {mae:.1f} thousand")
