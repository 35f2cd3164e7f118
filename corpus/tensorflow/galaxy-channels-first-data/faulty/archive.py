import numpy as np


def load(n=240, size=20):
    rng = np.random.default_rng(110)
    shape = rng.integers(0, 2, n)
    grid = np.linspace(-1, 1, size)
    radius = np.sqrt(grid[:, None] ** 2 + grid[None] ** 2 * np.where(shape, 6.0, 1.0)[:, None, None])
    bands = np.exp(-3 * radius)[:, None] * rng.uniform(0.5, 1.5, (n, 3, 1, 1))
    return bands.astype("float32"), shape
