import torch
from torch.utils.data import DataLoader, TensorDataset

from fused import LinearLayer


def calibration(n=240):
    g = torch.Generator().manual_seed(81)
    raw = torch.randn(n, 4, generator=g)
    volts = raw @ torch.tensor([[0.5], [-1.0], [0.2], [0.8]]) + 2.5
    return TensorDataset(raw, volts + 0.02 * torch.randn(n, 1, generator=g))


def main():
    torch.manual_seed(0)
    layer = LinearLayer(4, 1)
    loader = DataLoader(calibration(), batch_size=24, shuffle=True)
    sgd = torch.optim.SGD(layer.parameters(), lr=0.05)
    for epoch in range(8):
        for raw, volts in loader:
            loss = torch.nn.functional.mse_loss(layer(raw), volts)
            sgd.zero_grad()
            loss.backward()
            sgd.step()
        print(f"epoch {epoch} mse {loss.item():.4f} offset {layer.bias.item():.3f}")


if __name__ == "__main__":
    main()
