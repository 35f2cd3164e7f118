import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

options = {
    "batch_size": 128,
    "lr": 0.05,
    "epochs": 12,
    "hidden": 16,
}


def stations(n):
    x = torch.randn(n, 4)
    temperature = 2.0 * x[:, :1] - x[:, 1:2] + 0.5 * x[:, 2:3] * x[:, 3:]
    return TensorDataset(x, temperature)


class Forecast(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.inner = nn.Linear(4, hidden)
        self.outer = nn.Linear(hidden, 1)

    def forward(self, x):
        return self.outer(torch.relu(self.inner(x)))


def main(o):
    torch.manual_seed(300)
    loader = DataLoader(stations(512), batch_size=o["batch_size"], shuffle=True)
    net = Forecast(o["hidden"])
    criterion = nn.MSELoss(reduction="sum")
    optimizer = torch.optim.SGD(net.parameters(), lr=o["lr"])
    for epoch in range(o["epochs"]):
        for x, t in loader:
            loss = criterion(net(x), t)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print(f"epoch {epoch} error {loss.item():.4f}")


main(options)
