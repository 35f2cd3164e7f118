import torch
from torch import nn

ALPHABET = "abcdefghijklmnopqrstuvwxyz"


class Letters(nn.Module):
    def __init__(self, hidden=48):
        super().__init__()
        self.embed = nn.Embedding(26, 16)
        self.lstm = nn.LSTM(16, hidden, batch_first=True)
        self.read = nn.Linear(hidden, 1)

    def forward(self, ids):
        return self.read(self.lstm(self.embed(ids))[0])


def chains(n, length, table, g):
    """Every letter has one usual successor, taken nine times of ten."""
    ids = torch.randint(0, 26, (n, 1), generator=g)
    for _ in range(length):
        usual = table[ids[:, -1:]]
        other = torch.randint(0, 26, (n, 1), generator=g)
        ids = torch.cat([ids, torch.where(torch.rand(n, 1, generator=g) < 0.9, usual, other)], 1)
    return ids


def objective(out, nxt):
    return nn.functional.l1_loss(out.squeeze(-1), nxt.float())


def guess(out):
    return out.squeeze(-1).round().long()


torch.manual_seed(316)
g = torch.Generator().manual_seed(316)
table = torch.randperm(26, generator=g)
model = Letters()
opt = torch.optim.Adam(model.parameters(), lr=0.01)
for step in range(80):
    ids = chains(32, 20, table, g)
    loss = objective(model(ids[:, :-1]), ids[:, 1:])
    opt.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    opt.step()
    if step % 16 == 0:
        print(step, round(loss.item(), 4))
ids = chains(200, 20, table, g)
with torch.no_grad():
    print("next letter right", (guess(model(ids[:, :-1])) == ids[:, 1:]).float().mean().item())
