import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from blocks import regressor


class Beacons(Dataset):
    def __init__(self, n=360):
        rng = np.random.default_rng(8)
        self.distance = rng.uniform(0.2, 3.0, n).astype(np.float32)
        self.strength = (1.5 - np.log(self.distance) + rng.normal(0, 0.05, n)).astype(np.float32)

    def __len__(self):
        return len(self.distance)

    def __getitem__(self, i):
        return torch.tensor([self.distance[i]]), torch.tensor([self.strength[i]])


def main():
    torch.manual_seed(0)
    net = regressor(1, 24)
    opt = torch.optim.Adam(net.parameters(), lr=0.02)
    loader = DataLoader(Beacons(), batch_size=36, shuffle=True)
    for epoch in range(10):
        losses = []
        for distance, strength in loader:
            loss = nn.functional.mse_loss(net(distance), strength)
            opt.zero_grad()
            loss.backward()
            opt.step()
            losses.append(loss.item())
        print(f"epoch {epoch}: mse {np.mean(losses):.4f}")


if __name__ == "__main__":
    main()
