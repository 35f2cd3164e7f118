import torch
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset


class RainNet(nn.Module):
    def __init__(self, context=8):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(context, 40), nn.ReLU(), nn.Linear(40, 1))

    def forward(self, x):
        return self.net(x).squeeze(-1)


def train_epoch(model, loader, opt):
    batch_losses = []
    for x, y in loader:
        opt.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        opt.step()
        batch_losses.append(loss.item())
    return batch_losses


def gauges(n=240):
    g = torch.Generator().manual_seed(46)
    x = torch.randn(n, 8, generator=g)
    return TensorDataset(x, x[:, 0].sin() + 0.5 * x[:, 1] * x[:, 2] + 0.05 * torch.randn(n, generator=g))


def main():
    torch.manual_seed(0)
    loader = DataLoader(gauges(), batch_size=60, shuffle=True)
    model = RainNet()
    opt = optim.Adam(model.parameters(), lr=0.01, betas=(0.9, 0.999))
    for epoch in range(20):
        losses = train_epoch(model, loader, opt)
        if epoch % 4 == 3:
            print(f"epoch {epoch + 1}: first {losses[0]:.4f} last {losses[-1]:.4f}")


main()
