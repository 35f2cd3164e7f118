import math

import torch


class SGD:
    def __init__(self, params, lr, momentum=0.0, nesterov=False):
        self.params = [p for p in params if p.requires_grad]
        self.lr, self.momentum, self.nesterov = lr, momentum, nesterov
        self.velocity = [torch.zeros_like(p) for p in self.params]

    def step(self):
        for p, v in zip(self.params, self.velocity):
            if p.grad is None:
                continue
            v.mul_(self.momentum).add_(p.grad)
            d = p.grad + self.momentum * v if self.nesterov else v
            p.data -= self.lr * d

    def zero_grad(self):
        for p in self.params:
            p.grad = None


class Dense:
    def __init__(self, i, o):
        self.w = (torch.randn(i, o) * math.sqrt(2 / i)).requires_grad_()
        self.b = torch.zeros(o, requires_grad=True)

    def __call__(self, x):
        return x @ self.w + self.b


class Net:
    def __init__(self, *sizes):
        self.layers = [Dense(a, b) for a, b in zip(sizes, sizes[1:])]

    def __call__(self, x):
        for layer in self.layers[:-1]:
            x = layer(x).clamp(min=0)
        return self.layers[-1](x)

    def parameters(self):
        for layer in self.layers:
            yield layer.w
            yield layer.b


def cross_entropy(scores, y):
    logp = scores - scores.logsumexp(1, keepdim=True)
    return -logp[torch.arange(len(y)), y].mean()


torch.manual_seed(27)
x = torch.randn(600, 8)
y = torch.stack([x[:, :3].sum(1), x[:, 3:5].sum(1) * 1.2, -x[:, 5] * 1.7]).argmax(0)
net = Net(8, 40, 3)
sgd = SGD(net.parameters(), lr=0.08, momentum=0.9, nesterov=True)
for epoch in range(10):
    for idx in torch.randperm(600).split(60):
        sgd.zero_grad()
        loss = cross_entropy(net(x[idx]), y[idx])
        loss.backward()
        sgd.step()
    print(f"{epoch} {loss.item():.3f} {(net(x).argmax(1) == y).float().mean().item():.3f}")
