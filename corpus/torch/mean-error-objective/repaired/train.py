import torch

torch.manual_seed(21)

# house prices from area, rooms and age (all scaled)
n = 256
features = torch.rand(n, 3)
price = 1.5 + 2.0 * features[:, :1] + 0.7 * features[:, 1:2] - 1.1 * features[:, 2:]
price = price + 0.05 * torch.randn(n, 1)

w1 = (torch.randn(3, 16) * 0.4).requires_grad_()
b1 = torch.zeros(16, requires_grad=True)
w2 = (torch.randn(16, 1) * 0.3).requires_grad_()
b2 = torch.zeros(1, requires_grad=True)
weights = [w1, b1, w2, b2]


def net(x):
    return torch.tanh(x @ w1 + b1) @ w2 + b2


def error(predicted, actual):
    residual = (predicted - actual).pow(2)
    return residual.mean()


optimizer = torch.optim.SGD(weights, lr=0.1, momentum=0.9)
for step in range(60):
    pick = torch.randint(0, n, (32,))
    loss = error(net(features[pick]), price[pick])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 10 == 0:
        print(f"{step:3d}  {loss.item():+.4f}")

with torch.no_grad():
    rmse = (net(features) - price).pow(2).mean().sqrt()
print(f"rmse {rmse.item():.3f}  (spread of prices {price.std().item():.3f})")
