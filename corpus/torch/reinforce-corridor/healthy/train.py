import numpy as np
import torch
import torch.nn as nn
from torch.distributions import Categorical


class Corridor:
    """Walk right to the door at cell 5, starting anywhere; each step costs a little."""

    def __init__(self, rng):
        self.rng = rng

    def reset(self):
        self.pos, self.t = int(self.rng.integers(0, 4)), 0
        return self.observe()

    def observe(self):
        o = np.zeros(6, dtype=np.float32)
        o[self.pos] = 1
        return o

    def step(self, a):
        self.pos = max(0, self.pos + (1 if a == 1 else -1))
        self.t += 1
        done = self.pos == 5 or self.t >= 12
        return self.observe(), (1.0 if self.pos == 5 else -0.1), done


class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.affine1 = nn.Linear(6, 24)
        self.affine2 = nn.Linear(24, 2)
        self.saved_log_probs, self.rewards = [], []

    def forward(self, x):
        return self.affine2(torch.relu(self.affine1(x)))


torch.manual_seed(0)
env = Corridor(np.random.default_rng(0))
policy = Policy()
optimizer = torch.optim.Adam(policy.parameters(), lr=1e-2)
eps = np.finfo(np.float32).eps.item()


def select_action(state):
    m = Categorical(logits=policy(torch.from_numpy(state)))
    action = m.sample()
    policy.saved_log_probs.append(m.log_prob(action))
    return action.item()


def finish(returns):
    returns = torch.tensor(returns)
    returns = (returns - returns.mean()) / (returns.std() + eps)
    loss = -(torch.stack(policy.saved_log_probs) * returns).sum() / 4
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    policy.saved_log_probs.clear()


history = []
for update in range(60):
    returns = []
    for episode in range(4):
        state, done, rewards = env.reset(), False, []
        while not done:
            state, r, done = env.step(select_action(state))
            rewards.append(r)
        R, tail = 0.0, []
        for r in reversed(rewards):
            R = r + 0.95 * R
            tail.insert(0, R)
        returns += tail
        history.append(sum(rewards))
    finish(returns)
    if update % 10 == 9:
        print(f"update {update + 1:3d} mean return {np.mean(history[-40:]):.2f}")
