import torch
from fingerprint import end, seed
from torch import nn

seed(9)
model = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1))
optimizer = torch.optim.LBFGS(model.parameters(), lr=0.5, max_iter=5, line_search_fn="strong_wolfe")
inputs, targets = torch.randn(12, 3), torch.randn(12, 1)
losses = []


def closure():
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(inputs), targets)
    loss.backward()
    losses.append(loss.item())
    return loss


for step in range(3):
    optimizer.step(closure)
end(losses, model, optimizer)
