import torch
from torch import nn


class Signed(torch.optim.Optimizer):
    def __init__(self, parameters, lr):
        super().__init__(parameters, {"lr": lr})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.sub_(group["lr"] * parameter.grad.sign())


torch.manual_seed(0)
points = torch.randn(256, 8)
labels = (points[:, 0] > 0).long()
model = nn.Linear(8, 2)
optimizer = Signed(model.parameters(), lr=0.01)

for step in range(40):
    chosen = torch.randint(0, 256, (32,))
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(points[chosen]), labels[chosen])
    loss.backward()
    optimizer.step()
