import numpy as np
import torch
from torch.utils.data import Dataset

BEATS = "NSVFQ"


class BeatDataset(Dataset):
    def __init__(self, n=300, length=40, seed=202):
        rng = np.random.default_rng(seed)
        t = np.linspace(0, 1, length)
        kinds = rng.integers(0, len(BEATS), n)
        self.signal = np.stack([np.exp(-((t - 0.2 - 0.13 * k) / 0.06) ** 2) for k in kinds])
        self.signal = (self.signal + 0.15 * rng.normal(size=self.signal.shape)).astype(np.float32)
        self.symbols = [BEATS[k] for k in kinds]

    def __len__(self):
        return len(self.symbols)

    def encode(self, symbol):
        row = np.zeros(len(BEATS), dtype=np.int64)
        row[BEATS.index(symbol)] = 1
        return torch.from_numpy(row)

    def __getitem__(self, i):
        return torch.from_numpy(self.signal[i]).unsqueeze(0), self.encode(self.symbols[i])
