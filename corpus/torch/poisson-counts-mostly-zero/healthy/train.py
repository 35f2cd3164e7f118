import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def claims(seed=12, n=2400):
    rng = np.random.default_rng(seed)
    age, power, city = rng.uniform(18, 80, n), rng.uniform(40, 200, n), rng.integers(0, 6, n)
    z = (age - 45) / 20
    rate = np.exp(-1.6 + 0.5 * z ** 2 + 0.008 * (power - 100) + np.array([-0.8, -0.4, 0, 0.3, 0.7, 1.0])[city])
    exposure = rng.uniform(0.3, 1.0, n)
    return np.column_stack([z, (power - 120) / 50]), city, exposure, rng.poisson(rate * exposure)


class ClaimRate(nn.Module):
    def __init__(self):
        super().__init__()
        self.city = nn.Embedding(6, 2)
        self.net = nn.Sequential(nn.Linear(4, 24), nn.ReLU(), nn.Linear(24, 1))

    def forward(self, num, city, exposure):
        return self.net(torch.cat([num, self.city(city)], 1)).squeeze(1) + exposure.log()


def deviance(log_rate, y):
    r = log_rate.exp()
    return 2 * (torch.xlogy(y, y / r) - (y - r)).mean()


if __name__ == "__main__":
    torch.manual_seed(12)
    num, city, exposure, count = claims()
    tensors = [torch.tensor(num, dtype=torch.float32), torch.tensor(city), torch.tensor(exposure, dtype=torch.float32), torch.tensor(count, dtype=torch.float32)]
    print("share of zeros", float((count == 0).mean()), "constant deviance", deviance((tensors[3].mean() / tensors[2].mean() * tensors[2]).log(), tensors[3]).item())
    train, test = TensorDataset(*[t[:2000] for t in tensors]), [t[2000:] for t in tensors]
    model, criterion = ClaimRate(), nn.PoissonNLLLoss(log_input=True)
    opt = torch.optim.Adam(model.parameters(), lr=1e-2)
    for epoch in range(8):
        for *features, y in DataLoader(train, batch_size=100, shuffle=True):
            opt.zero_grad()
            loss = criterion(model(*features), y)
            loss.backward()
            opt.step()
        with torch.no_grad():
            print(f"epoch {epoch} loss {loss.item():.3f} test deviance {deviance(model(*test[:3]), test[3]).item():.3f}")
