import torch

torch.manual_seed(1)
n, d = 256, 5
X = torch.randn(n, d)
true_w = torch.tensor([[1.5], [-2.0], [0.7], [0.0], [3.1]])
y = X @ true_w - 0.4 + 0.05 * torch.randn(n, 1)

w = torch.zeros(d, 1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
lr = 0.1

for t in range(60):
    y_hat = X @ w + b
    loss = ((y_hat - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= lr * w.grad
        b -= lr * b.grad
        w.grad.zero_()
        b.grad.zero_()
    if t % 10 == 9:
        print(t + 1, loss.item())

print(w.detach().flatten().tolist(), b.item())
