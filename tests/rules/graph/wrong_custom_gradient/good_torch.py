import torch
from torch import nn


class Cube(torch.autograd.Function):
    @staticmethod
    def forward(context, x):
        context.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(context, gradient):
        (x,) = context.saved_tensors
        return gradient * 3 * x**2


torch.manual_seed(0)
rooms = torch.randn(128, 4)
rent = (rooms[:, :1] + 0.5) ** 3
model = nn.Linear(4, 1)
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

for step in range(30):
    optimizer.zero_grad()
    loss = nn.functional.l1_loss(Cube.apply(model(rooms)), rent)
    loss.backward()
    optimizer.step()
