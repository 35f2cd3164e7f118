import random

import numpy
import torch
from fingerprint import end, seed
from torch import nn

seed(15)
embed = nn.Embedding(12, 6, sparse=False)
head = nn.Linear(6, 12, bias=False)
head.weight = embed.weight
optimizer = torch.optim.Adagrad(embed.parameters(), lr=0.1)
embed.weight.register_hook(lambda gradient: gradient * 0.5)
losses = []
for step in range(4):
    for micro in range(3):
        ids = torch.from_numpy(numpy.random.randint(0, 12, 10)).reshape(2, 5)
        noise = torch.randn(2, 5, 6) * random.random()
        loss = nn.functional.cross_entropy(head(embed(ids) + noise).flatten(0, 1), ids.flatten()) / 3
        loss.backward()
        losses.append(loss.item())
    optimizer.step()
    optimizer.zero_grad()
end(losses, embed, optimizer)
