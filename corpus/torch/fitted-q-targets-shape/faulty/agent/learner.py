import torch
from torch import nn


def huber(delta):
    small = delta.abs() < 1
    return torch.where(small, 0.5 * delta ** 2, delta.abs() - 0.5).mean()


class Learner:
    def __init__(self, n_state, n_action, lr=5e-3):
        self.q = nn.Sequential(nn.Linear(n_state, 32), nn.ReLU(), nn.Linear(32, n_action))
        self.opt = torch.optim.Adam(self.q.parameters(), lr=lr)

    @torch.no_grad()
    def greedy(self, state):
        return self.q(state).argmax(-1)

    def update(self, batch):
        states, actions, rewards = batch
        chosen = self.q(states).gather(1, actions)
        loss = huber(chosen - rewards)
        self.opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_value_(self.q.parameters(), 1.0)
        self.opt.step()
        return loss.item()
