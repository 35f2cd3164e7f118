import torch
from torch import nn


class Stack(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = [nn.Linear(6, 6) for _ in range(3)]
        self.out = nn.Linear(6, 1)

    def forward(self, x):
        for layer in self.hidden:
            x = torch.tanh(layer(x))
        return self.out(x).squeeze(1)


torch.manual_seed(0)
weather = torch.randn(128, 6)
demand = weather[:, 0] - weather[:, 1]
model = Stack()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

for step in range(30):
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(weather), demand)
    loss.backward()
    optimizer.step()
