import random
from collections import deque, namedtuple

import torch
import torch.nn as nn

Transition = namedtuple("Transition", "s a r s2 done")


class GridWorld:
    SIZE = 4

    def reset(self):
        self.x, self.y, self.n = 0, 0, 0
        return self._obs()

    def _obs(self):
        v = torch.zeros(self.SIZE * 2)
        v[self.x] = 1.0
        v[self.SIZE + self.y] = 1.0
        return v

    def step(self, a):
        dx, dy = [(1, 0), (-1, 0), (0, 1), (0, -1)][a]
        self.x = min(max(self.x + dx, 0), self.SIZE - 1)
        self.y = min(max(self.y + dy, 0), self.SIZE - 1)
        self.n += 1
        goal = (self.x, self.y) == (3, 3)
        return self._obs(), (1.0 if goal else -0.05), goal, goal or self.n >= 25


class Agent:
    def __init__(self):
        def mlp():
            return nn.Sequential(nn.Linear(8, 48), nn.ReLU(), nn.Linear(48, 4))

        self.q, self.q_target = mlp(), mlp()
        self.q_target.load_state_dict(self.q.state_dict())
        self.memory = deque(maxlen=2000)
        self.optim = torch.optim.AdamW(self.q.parameters(), lr=3e-3, amsgrad=True)
        self.updates = 0

    def act(self, s, eps):
        if random.random() < eps:
            return random.randrange(4)
        with torch.no_grad():
            return self.q(s).max(0).indices.item()

    def learn(self):
        if len(self.memory) < 100:
            return
        batch = Transition(*zip(*random.sample(self.memory, 48)))
        s, s2 = torch.stack(batch.s), torch.stack(batch.s2)
        a, r = torch.tensor(batch.a), torch.tensor(batch.r)
        alive = 1 - torch.tensor(batch.done, dtype=torch.float32)
        value = self.q(s).gather(1, a[:, None]).squeeze(1)
        with torch.no_grad():
            goal = r + 0.95 * alive * self.q_target(s2).max(1).values
        loss = nn.functional.smooth_l1_loss(value, goal)
        self.optim.zero_grad()
        loss.backward()
        nn.utils.clip_grad_value_(self.q.parameters(), 100)
        self.optim.step()
        self.updates += 1
        if self.updates % 25 == 0:
            self.q_target.load_state_dict(self.q.state_dict())


random.seed(4)
torch.manual_seed(4)
env, agent = GridWorld(), Agent()
lengths = []
for episode in range(60):
    state, over = env.reset(), False
    while not over:
        action = agent.act(state, max(0.05, 1 - episode / 35))
        nxt, reward, goal, over = env.step(action)
        agent.memory.append(Transition(state, action, reward, nxt, goal))
        state = nxt
        agent.learn()
    lengths.append(env.n)
    if episode % 10 == 9:
        print(f"episode {episode + 1} mean length {sum(lengths[-10:]) / 10:.1f} updates {agent.updates}")
