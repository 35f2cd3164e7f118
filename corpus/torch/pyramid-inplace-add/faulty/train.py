import torch
from torch.utils.data import DataLoader, TensorDataset

from models.counter import ObjectCounter


def pictures(n):
    g = torch.Generator().manual_seed(14)
    dots = (torch.rand(n, 1, 12, 12, generator=g) < torch.rand(n, 1, 1, 1, generator=g) * 0.3).float()
    return TensorDataset(dots + 0.05 * torch.randn(n, 1, 12, 12, generator=g), dots.sum(dim=(1, 2, 3)) / 10)


if __name__ == "__main__":
    torch.manual_seed(0)
    model = ObjectCounter()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    for epoch in range(6):
        error = 0.0
        for image, count in DataLoader(pictures(192), batch_size=24, shuffle=True):
            loss = torch.nn.functional.mse_loss(model(image), count)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            error += loss.item() / 8
        print("epoch", epoch, "count error", round(error, 4))
