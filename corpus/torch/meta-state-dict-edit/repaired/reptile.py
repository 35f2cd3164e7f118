import copy

import torch
from torch import nn


class Reptile:
    def __init__(self, net, inner_lr=0.1, outer_lr=0.5, inner_steps=8):
        self.net = net
        self.inner_lr, self.outer_lr, self.inner_steps = inner_lr, outer_lr, inner_steps

    def adapt(self, task):
        fast = copy.deepcopy(self.net)
        opt = torch.optim.SGD(fast.parameters(), lr=self.inner_lr)
        first = None
        for _ in range(self.inner_steps):
            x, y = task.sample(20)
            loss = nn.functional.mse_loss(fast(x), y)
            first = loss.item() if first is None else first
            opt.zero_grad()
            loss.backward()
            opt.step()
        return fast, first

    def round(self, task):
        fast, first = self.adapt(task)
        slow_state = self.net.state_dict()
        for name, value in fast.state_dict().items():
            slow_state[name] = slow_state[name] + self.outer_lr * (value - slow_state[name])
        self.net.load_state_dict(slow_state)
        return first
