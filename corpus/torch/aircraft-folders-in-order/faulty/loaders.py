import torch
from torch.utils.data import ConcatDataset, DataLoader, TensorDataset


def class_folder(k, count, g):
    """Images of one class, like one sub-folder."""
    pattern = torch.randn(1, 12, 12, generator=torch.Generator().manual_seed(1000 + k))
    images = pattern + 0.8 * torch.randn(count, 1, 12, 12, generator=g)
    return TensorDataset(images, torch.full((count,), k))


def training_loader(classes, count, params):
    g = torch.Generator().manual_seed(100)
    data = ConcatDataset([class_folder(k, count, g) for k in range(classes)])
    return DataLoader(data, **params)
