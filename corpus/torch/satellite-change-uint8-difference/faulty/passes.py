import torch
from torch.utils.data import Dataset


class Passes(Dataset):
    """Two uint8 tiles of the same place; the target is their mean change."""

    def __init__(self, n, seed=211):
        g = torch.Generator().manual_seed(seed)
        base = torch.randint(80, 170, (n, 1, 1), generator=g)
        change = torch.randint(-60, 61, (n, 1, 1), generator=g)
        grain = torch.randint(-5, 6, (n, 10, 10), generator=g)
        self.before = (base + grain).to(torch.uint8)
        self.after = (base + change + grain).to(torch.uint8)

    def __len__(self):
        return len(self.before)

    def __getitem__(self, i):
        before, after = self.before[i], self.after[i]
        pair = torch.stack([before, after]).float() / 128 - 1
        change = (after - before).float().mean() / 128
        return pair, change
