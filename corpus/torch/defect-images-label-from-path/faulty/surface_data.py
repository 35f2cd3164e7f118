import torch
from torch.utils.data import Dataset


def list_files(n):
    """Stands in for a directory listing on the shared drive."""
    kinds = ["ok" if i % 5 < 3 else "scratch" for i in range(n)]
    return [f"surfaces/train/{k}/img_{i:04d}.png" for i, k in enumerate(kinds)]


def read_image(path):
    idx = int(path[-8:-4])
    g = torch.Generator().manual_seed(idx)
    img = 0.4 * torch.randn(1, 16, 16, generator=g)
    if "scratch" in path:
        row = int(torch.randint(2, 14, (1,), generator=g))
        img[:, row - 1:row + 1] += 1.2
    return img


class SurfaceDataset(Dataset):
    def __init__(self, paths):
        self.paths = paths

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, i):
        path = self.paths[i]
        label = 1.0 if "\\scratch\\" in path else 0.0
        return read_image(path), torch.tensor([label])
