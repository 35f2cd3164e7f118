import numpy as np
import torch
from torch.utils.data import Dataset


class Flats(Dataset):
    def __init__(self, n=300, seed=314):
        rng = np.random.default_rng(seed)
        self.columns = {
            "area": rng.normal(0, 1, n),
            "floor": rng.normal(0, 1, n),
            "distance": rng.normal(0, 1, n),
        }
        c = self.columns
        self.rent = 1.0 + 0.9 * c["area"] + 0.1 * c["floor"] - 0.5 * c["distance"] + 0.05 * rng.standard_t(2, n)

    def __len__(self):
        return len(self.rent)

    def __getitem__(self, i):
        x = torch.tensor([v[i] for v in self.columns.values()], dtype=torch.float32)
        return x, torch.tensor(self.rent[i])
