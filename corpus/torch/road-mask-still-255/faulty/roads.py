import numpy as np
import torch
from torch.utils.data import Dataset


class Roads(Dataset):
    def __init__(self, n, side=20, seed=205):
        rng = np.random.default_rng(seed)
        self.items = []
        for _ in range(n):
            mask = np.zeros((side, side), np.uint8)
            at, slope = rng.integers(4, side - 4), rng.uniform(-0.6, 0.6)
            for r in range(side):
                c = int(np.clip(at + slope * (r - side / 2), 1, side - 2))
                mask[r, c - 1:c + 2] = 255
            photo = np.clip(90 + 0.35 * mask[..., None] + rng.normal(0, 20, (side, side, 3)), 0, 255).astype(np.uint8)
            self.items.append((photo, mask))

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        photo, mask = self.items[i]
        photo = torch.from_numpy(photo).permute(2, 0, 1).float() / 255 - 0.4
        return photo, torch.from_numpy(mask).unsqueeze(0).float()
