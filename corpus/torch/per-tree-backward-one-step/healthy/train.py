import random

import torch
import torch.nn as nn


class Node:
    def __init__(self, value=None, left=None, right=None, op=None):
        self.value, self.left, self.right, self.op = value, left, right, op

    def evaluate(self):
        if self.value is not None:
            return self.value
        a, b = self.left.evaluate(), self.right.evaluate()
        return max(a, b) if self.op == 0 else min(a, b)


def grow(rng, depth):
    if depth == 0 or rng.random() < 0.2:
        return Node(value=rng.randint(0, 1))
    return Node(left=grow(rng, depth - 1), right=grow(rng, depth - 1), op=rng.randint(0, 1))


class TreeNet(nn.Module):
    def __init__(self, d=16):
        super().__init__()
        self.leaf, self.op = nn.Embedding(2, d), nn.Embedding(2, d)
        self.merge = nn.Sequential(nn.Linear(3 * d, 32), nn.Tanh(), nn.Linear(32, d), nn.Tanh())
        self.out = nn.Linear(d, 2)

    def encode(self, node):
        if node.value is not None:
            return self.leaf.weight[node.value]
        return self.merge(torch.cat([self.encode(node.left), self.encode(node.right), self.op.weight[node.op]]))

    def forward(self, tree):
        return self.out(self.encode(tree))


rng = random.Random(8)
torch.manual_seed(8)
forest = [grow(rng, 2) for _ in range(160)]
net = TreeNet()
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
group = 16
for epoch in range(8):
    rng.shuffle(forest)
    hits, total = 0, 0.0
    for k in range(0, len(forest), group):
        opt.zero_grad()
        for tree in forest[k:k + group]:
            scores = net(tree)
            loss = nn.functional.cross_entropy(scores.unsqueeze(0), torch.tensor([tree.evaluate()])) / group
            loss.backward()
            total += loss.item()
            hits += int(scores.argmax() == tree.evaluate())
        opt.step()
    print(f"epoch {epoch} loss {total / (len(forest) / group):.3f} acc {hits / len(forest):.3f}")
