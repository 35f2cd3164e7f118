import itertools

import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset


class SharedEncoder(nn.Module):
    def __init__(self, tasks):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(10, 48), nn.ReLU(), nn.Linear(48, 32), nn.ReLU())
        self.decoders = nn.ModuleDict({name: nn.Linear(32, width) for name, width in tasks.items()})

    def forward(self, x, task):
        return self.decoders[task](self.encoder(x))


def colour_data(n, w):
    x = torch.randn(n, 10)
    return TensorDataset(x, (x @ w[:, :4]).argmax(1))


def weight_data(n, w):
    x = torch.randn(n, 10)
    return TensorDataset(x, torch.tanh(x @ w[:, 4:5] / 2))


torch.manual_seed(49)
w = torch.randn(10, 5)
loaders = {
    "colour": DataLoader(colour_data(400, w), batch_size=40, shuffle=True),
    "weight": DataLoader(weight_data(400, w), batch_size=40, shuffle=True),
}
criteria = {"colour": nn.CrossEntropyLoss(), "weight": nn.MSELoss()}
net = SharedEncoder({"colour": 4, "weight": 1})
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
for epoch in range(12):
    last = {}
    streams = [zip(itertools.repeat(k), v) for k, v in loaders.items()]
    for task, (x, y) in itertools.chain.from_iterable(zip(*streams)):
        opt.zero_grad(set_to_none=True)
        loss = criteria[task](net(x, task), y)
        loss.backward()
        opt.step()
        last[task] = loss.item()
    print(epoch, {k: round(v, 4) for k, v in last.items()})
