import torch
from torch.utils.data import DataLoader, TensorDataset


def _draw(n, g):
    y = torch.randint(0, 3, (n,), generator=g)
    x = 0.4 * torch.randn(n, 1, 10, 10, generator=g)
    x[y == 0, :, 2:5, 2:8] += 0.8
    x[y == 1, :, 2:8, 2:5] += 0.8
    x[y == 2, :, 5:9, 5:9] += 0.8
    return TensorDataset(x, y)


def make_loaders(batch_size):
    g = torch.Generator().manual_seed(5)
    train, test = _draw(256, g), _draw(96, g)
    return DataLoader(train, batch_size=batch_size, shuffle=True, generator=g), DataLoader(test, batch_size=96)
