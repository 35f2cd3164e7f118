import torch
import torch.nn as nn


class AttentivePooling(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.score = nn.Linear(d, 1)

    def forward(self, h, lengths):
        s = self.score(torch.tanh(h)).squeeze(-1)
        outside = torch.arange(h.size(0))[:, None] >= lengths[None]
        a = s.masked_fill(outside, float("-inf")).softmax(dim=0)
        return torch.einsum("tb,tbd->bd", a, h)


class EventClassifier(nn.Module):
    def __init__(self, vocab=30, d=24, classes=4):
        super().__init__()
        self.emb = nn.Embedding(vocab, d)
        self.gru = nn.GRU(d, d, bidirectional=True)
        self.pool = AttentivePooling(2 * d)
        self.fc = nn.Linear(2 * d, classes)

    def forward(self, ids, lengths):
        packed = nn.utils.rnn.pack_padded_sequence(self.emb(ids), lengths, enforce_sorted=False)
        h, _ = nn.utils.rnn.pad_packed_sequence(self.gru(packed)[0], total_length=ids.size(0))
        out = self.fc(self.pool(h, lengths))
        return out if self.training else out.softmax(-1)


def event_logs(n, g):
    y = torch.randint(0, 4, (n,), generator=g)
    lengths = torch.randint(6, 13, (n,), generator=g)
    ids = torch.randint(8, 30, (12, n), generator=g)
    for b in range(n):
        at = torch.randperm(int(lengths[b]), generator=g)[:2].sort().values
        first, second = divmod(int(y[b]), 2)
        ids[at[0], b], ids[at[1], b] = first, 2 + second
        ids[lengths[b]:, b] = 0
    return ids, lengths, y


g = torch.Generator().manual_seed(34)
torch.manual_seed(34)
ids, lengths, y = event_logs(400, g)
model = EventClassifier()
opt = torch.optim.Adam(model.parameters(), lr=1e-2)
for epoch in range(6):
    model.train()
    for idx in torch.randperm(320, generator=g).split(40):
        loss = nn.functional.cross_entropy(model(ids[:, idx], lengths[idx]), y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
    model.eval()
    with torch.no_grad():
        p = model(ids[:, 320:], lengths[320:])
    print(f"epoch {epoch} loss {loss.item():.3f} acc {(p.argmax(1) == y[320:]).float().mean():.3f} sure {p.amax(1).mean():.3f}")
