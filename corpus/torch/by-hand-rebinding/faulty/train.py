import torch


def init(sizes):
    params = []
    for a, b in zip(sizes, sizes[1:]):
        params.append((torch.randn(a, b) / a ** 0.5).requires_grad_())
        params.append(torch.zeros(b, requires_grad=True))
    return params


def predict(params, x):
    *hidden, w, b = params
    for u, c in zip(hidden[::2], hidden[1::2]):
        x = torch.relu(x @ u + c)
    return x @ w + b


def descend(params, lr):
    with torch.no_grad():
        for p in params:
            p = p - lr * p.grad
    for p in params:
        p.grad = None


torch.manual_seed(50)
grid = torch.rand(300, 2) * 2 - 1
height = (grid[:, :1] * 3).sin() + grid[:, 1:] ** 2
params = init([2, 32, 1])
for step in range(201):
    loss = (predict(params, grid) - height).pow(2).mean()
    loss.backward()
    descend(params, lr=0.1)
    if step % 40 == 0:
        print(step, f"{loss.item():.4f}")
