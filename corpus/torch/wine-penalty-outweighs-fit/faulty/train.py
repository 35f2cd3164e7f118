import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

config = {
    "epochs": 8,
    "batch_size": 32,
    "lr": 5e-3,
    "l2_lambda": 5.0,
}


class WineNet(nn.Module):
    def __init__(self, n_in=9):
        super().__init__()
        self.a = nn.Linear(n_in, 32)
        self.b = nn.Linear(32, 1)

    def forward(self, x):
        return self.b(torch.relu(self.a(x))).squeeze(1)


def penalty(net):
    return sum(p.pow(2).sum() for name, p in net.named_parameters() if name.endswith("weight"))


def wines(n):
    x = torch.randn(n, 9)
    quality = 0.5 * x[:, 0] + 0.4 * x[:, 4] - 0.6 * x[:, 7] + 0.1 * torch.randn(n)
    return TensorDataset(x, quality)


def fit(cfg):
    torch.manual_seed(320)
    data = wines(384)
    net = WineNet()
    opt = torch.optim.Adam(net.parameters(), lr=cfg["lr"])
    for epoch in range(cfg["epochs"]):
        for x, q in DataLoader(data, cfg["batch_size"], shuffle=True):
            loss = nn.functional.mse_loss(net(x), q) + cfg["l2_lambda"] * penalty(net)
            opt.zero_grad()
            loss.backward()
            opt.step()
        x, q = data.tensors
        with torch.no_grad():
            r2 = 1 - (net(x) - q).pow(2).mean() / q.var()
        print(f"epoch {epoch} loss {loss.item():.4f} R2 {r2.item():.3f}")


if __name__ == "__main__":
    fit(config)
