import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class PriceModel(nn.Module):
    def __init__(self, inputs):
        super().__init__()
        self.linear = nn.Linear(inputs, 1)

    def forward(self, rows):
        return self.linear(rows)


def make_rows(count=400, inputs=40):
    g = torch.Generator().manual_seed(55)
    rows = torch.randn(count, inputs, generator=g)
    price = rows @ torch.randn(inputs, 1, generator=g) + 0.1 * torch.randn(count, 1, generator=g)
    return TensorDataset(rows, price)


def train(learning_rate=0.02, epochs=5):
    torch.manual_seed(0)
    loader = DataLoader(make_rows(), batch_size=20, shuffle=True)
    model = PriceModel(40)
    optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)
    criterion = nn.MSELoss()
    for epoch in range(epochs):
        for rows, price in loader:
            loss = criterion(model(rows), price)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print(f"epoch {epoch} loss {loss.item():.6g}")


train()
