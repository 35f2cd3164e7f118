import math

import torch
from torch import nn, optim

from nets import WindowNet


def make_windows(n, seed):
    g = torch.Generator().manual_seed(seed)
    t = torch.arange(48).float()
    y = torch.randint(0, 3, (n,), generator=g)
    speed = torch.tensor([4.0, 6.0, 9.0])[y]
    phase = torch.rand(n, generator=g) * 2 * math.pi
    wave = torch.sin(2 * math.pi * t / speed[:, None] + phase[:, None])
    x = wave[:, None, :] + 0.3 * torch.randn(n, 1, 48, generator=g)
    return x, y


def accuracy(model, x, y):
    model.eval()
    with torch.no_grad():
        a = (model(x).argmax(-1) == y).float().mean().item()
    model.train()
    return a


torch.manual_seed(2)
x_train, y_train = make_windows(384, 0)
x_val, y_val = make_windows(192, 1)
model = WindowNet(1, 3)
criterion = nn.CrossEntropyLoss()
optimizer = optim.Adam(model.parameters(), lr=0.02)

for epoch in range(15):
    perm = torch.randperm(len(x_train))
    for k in range(0, len(perm), 64):
        b = perm[k:k + 64]
        optimizer.zero_grad()
        loss = criterion(model(x_train[b]), y_train[b])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.3f} val {accuracy(model, x_val, y_val):.3f}")
