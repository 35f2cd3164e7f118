import numpy as np


def simulate(n=360, seed=28):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 7)).astype(np.float32)
    score = x[:, 0] + 0.8 * x[:, 1] - 0.6 * x[:, 2] * (x[:, 3] > 0)
    y = np.digitize(score, np.quantile(score, [1 / 3, 2 / 3])).astype(np.int64)
    return x, y


def split(x, y, fraction=0.8, seed=28):
    order = np.random.default_rng(seed).permutation(len(x))
    cut = int(len(x) * fraction)
    x = x[order]
    return (x[:cut], y[:cut]), (x[cut:], y[cut:])
