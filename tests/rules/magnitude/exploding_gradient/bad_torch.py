import torch
from torch import nn


class Waves(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(8, 16)
        self.layers = nn.ModuleList(nn.Linear(16, 16) for _ in range(10))
        self.out = nn.Linear(16, 1)

    def forward(self, x):
        x = self.first(x)
        for layer in self.layers:
            x = torch.sin(10 * layer(x))
        return self.out(x)


torch.manual_seed(0)
rooms = torch.randn(256, 8)
rent = rooms[:, :1] - rooms[:, 1:2]
model = Waves()
optimizer = torch.optim.Adam(model.parameters(), lr=0.001)

for step in range(30):
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(rooms), rent)
    loss.backward()
    optimizer.step()
