import random
from collections import namedtuple

import torch

Transition = namedtuple("Transition", "state action reward")


class Replay:
    def __init__(self, capacity=2000, seed=0):
        self.items, self.capacity = [], capacity
        self.rnd = random.Random(seed)

    def push(self, *fields):
        self.items.append(Transition(*fields))
        del self.items[:-self.capacity]

    def sample(self, k):
        rows = self.rnd.sample(self.items, k)
        states = torch.stack([r.state for r in rows])
        actions = torch.tensor([r.action for r in rows]).view(-1, 1)
        rewards = torch.tensor([r.reward for r in rows], dtype=torch.float32)
        return states, actions, rewards

    def __len__(self):
        return len(self.items)
