import torch
from torch.utils.data import Dataset

CARDINALITY = {"plan": 24, "region": 30, "device": 20}


class Customers(Dataset):
    def __init__(self, n, seed):
        g = torch.Generator().manual_seed(seed)
        fixed = torch.Generator().manual_seed(77)
        self.cats = {}
        score = torch.zeros(n)
        for column, size in CARDINALITY.items():
            values = torch.randint(0, size, (n,), generator=g)
            score += torch.randn(size, generator=fixed)[values]
            self.cats[column] = values
        self.tenure = torch.randn(n, 1, generator=g)
        score = score - 0.8 * self.tenure.squeeze(1)
        self.left = (score > 0).float()

    def __len__(self):
        return len(self.left)

    def __getitem__(self, i):
        return {k: v[i] for k, v in self.cats.items()}, self.tenure[i], self.left[i]
