import math

import torch
import torch.nn as nn


class MDN(nn.Module):
    def __init__(self, k=5, h=32):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(1, h), nn.Tanh(), nn.Linear(h, h), nn.Tanh())
        self.weight, self.centre, self.logscale = nn.Linear(h, k), nn.Linear(h, k), nn.Linear(h, k)
        with torch.no_grad():
            self.centre.bias.copy_(torch.linspace(-1, 1, k))

    def forward(self, x):
        h = self.body(x)
        return self.weight(h).log_softmax(-1), self.centre(h), self.logscale(h).clamp(-5, 2)


def negative_log_likelihood(params, y):
    logw, mu, logs = params
    z = (y - mu) / logs.exp()
    return -torch.logsumexp(logw - 0.5 * z ** 2 - logs - 0.5 * math.log(2 * math.pi), -1).mean()


def inverse_problem(n):
    y = torch.rand(n, 1) * 2 - 1
    return y + 0.5 * torch.sin(2 * math.pi * y) + 0.05 * torch.randn(n, 1), y


def main():
    torch.manual_seed(96)
    x, y = inverse_problem(1000)
    net = MDN()
    opt = torch.optim.Adam(net.parameters(), lr=1e-2)
    for epoch in range(18):
        total = 0.0
        for idx in torch.randperm(1000).split(100):
            loss = negative_log_likelihood(net(x[idx]), y[idx])
            opt.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 5.0)
            opt.step()
            total += loss.item() / 10
        if epoch % 3 == 2:
            print(f"epoch {epoch + 1} nll {total:.3f}")


main()
