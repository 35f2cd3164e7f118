import torch
from torch import nn

from fuse import SelfAttention, prepare


class Recall(nn.Module):
    """Answers with the value stored beside the key that is asked for."""

    def __init__(self, dim=16):
        super().__init__()
        self.attend = SelfAttention(dim)
        self.out = nn.Linear(dim, 4)

    def forward(self, x):
        return self.out(self.attend(x)[:, -1])


def memory(n, gen):
    keys = torch.stack([torch.randperm(6, generator=gen)[:5] for _ in range(n)])
    values = torch.randint(0, 4, (n, 5), generator=gen)
    asked = torch.randint(0, 5, (n,), generator=gen)
    x = torch.zeros(n, 6, 16)
    x[:, :5, :6] = nn.functional.one_hot(keys, 6).float()
    x[:, :5, 6:10] = nn.functional.one_hot(values, 4).float()
    row = torch.arange(n)
    x[row, 5, 10 + keys[row, asked]] = 1.0
    return x, values[row, asked]


torch.manual_seed(1)
gen = torch.Generator().manual_seed(1)
model = prepare(Recall())
optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
for step in range(1, 241):
    x, y = memory(48, gen)
    out = model(x)
    loss = nn.functional.cross_entropy(out, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 40 == 0:
        print(f"step {step} loss {loss.item():.3f} acc {(out.argmax(1) == y).float().mean():.3f}")
