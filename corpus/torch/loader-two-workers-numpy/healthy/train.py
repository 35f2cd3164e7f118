import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class ShiftedPulses(Dataset):
    """Which of three pulse shapes is in the window; shifted and noisy."""

    SHAPES = np.stack([np.hanning(9), np.linspace(0, 1, 9), np.r_[np.ones(4), -np.ones(5)]]).astype("float32")

    def __init__(self, size, base_seed):
        self.size, self.base_seed = size, base_seed

    def __len__(self):
        return self.size

    def __getitem__(self, index):
        rng = np.random.default_rng([self.base_seed, index])
        kind = int(rng.integers(3))
        signal = rng.normal(0, 0.15, 40).astype("float32")
        at = int(rng.integers(0, 31))
        signal[at:at + 9] += self.SHAPES[kind]
        return signal[None], kind


def build():
    return nn.Sequential(nn.Conv1d(1, 16, 9), nn.ReLU(), nn.AdaptiveMaxPool1d(1), nn.Flatten(), nn.Linear(16, 3))


if __name__ == "__main__":
    torch.manual_seed(50)
    loader = DataLoader(ShiftedPulses(320, 1), batch_size=32, shuffle=True, num_workers=2, persistent_workers=True)
    check = DataLoader(ShiftedPulses(96, 2), batch_size=96)
    model = build()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    loss_fn = nn.CrossEntropyLoss()
    for epoch in range(6):
        for signal, kind in loader:
            optimizer.zero_grad()
            loss = loss_fn(model(signal), kind)
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            signal, kind = next(iter(check))
            acc = (model(signal).argmax(1) == kind).float().mean().item()
        print(f"epoch {epoch} last loss {loss.item():.3f} accuracy {acc:.3f}")
