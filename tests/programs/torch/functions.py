import torch
from fingerprint import end, seed
from torch import nn


class Sign(torch.autograd.Function):
    @staticmethod
    def forward(ctx, inputs):
        ctx.save_for_backward(inputs)
        return inputs.sign()

    @staticmethod
    def backward(ctx, gradient):
        (inputs,) = ctx.saved_tensors
        return gradient * (inputs.abs() < 1)


class Halves(torch.autograd.Function):
    @staticmethod
    def forward(ctx, inputs, share):
        ctx.share = share
        return inputs * share, inputs * (1 - share)

    @staticmethod
    def backward(ctx, first, second):
        return first * ctx.share + second * (1 - ctx.share), None


seed(13)
model = nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 3))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
losses = []
for step in range(4):
    rows, labels = torch.randn(6, 4), torch.randint(0, 3, (6,))
    one, other = Halves.apply(Sign.apply(model[0](rows)), 0.3)
    loss = nn.functional.cross_entropy(model[1](one * 2 + other), labels)
    slope = torch.autograd.grad(loss, model[0].weight, create_graph=True)[0]
    loss = loss + 0.1 * slope.square().sum()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
end(losses, model, optimizer)
