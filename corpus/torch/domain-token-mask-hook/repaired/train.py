import torch
from torch import nn

from vocab import grow, protect_old_rows


class TopicModel(nn.Module):
    def __init__(self, vocab, dim, topics):
        super().__init__()
        self.embedding = nn.Embedding(vocab, dim)
        self.out = nn.Linear(dim, topics)

    def forward(self, ids):
        return self.out(self.embedding(ids).mean(1))


def documents(n, old, extra, gen):
    """The topic is carried by the new tokens alone."""
    topic = torch.randint(0, extra, (n,), generator=gen)
    ids = torch.randint(0, old, (n, 6), generator=gen)
    ids[:, 2] = old + topic
    return ids, topic % 3


OLD, EXTRA = 50, 9
torch.manual_seed(16)
gen = torch.Generator().manual_seed(16)
model = TopicModel(OLD, 12, 3)
model.embedding = grow(model.embedding, EXTRA)
protect_old_rows(model.embedding, OLD)
optimizer = torch.optim.Adam(model.parameters(), lr=0.03)

for step in range(1, 121):
    ids, topic = documents(32, OLD, EXTRA, gen)
    scores = model(ids)
    loss = nn.functional.cross_entropy(scores, topic)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 20 == 0:
        print(f"step {step} loss {loss.item():.3f} acc {(scores.argmax(1) == topic).float().mean().item():.3f}")
