import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


class SkipGram(nn.Module):
    def __init__(self, vocab, dim):
        super().__init__()
        self.u = nn.Embedding(vocab, dim, sparse=True)
        self.v = nn.Embedding(vocab, dim, sparse=True)
        self.u.weight.data.uniform_(-0.5 / dim, 0.5 / dim)
        self.v.weight.data.zero_()

    def forward(self, centre, context, negative):
        c = self.u(centre)
        pos = F.logsigmoid((c * self.v(context)).sum(1))
        neg = F.logsigmoid(-(self.v(negative) @ c.unsqueeze(2)).squeeze(2)).sum(1)
        return -(pos + neg).mean()


def topic_corpus(rng, topics=4, words=8, sentences=250, length=8):
    out = []
    for _ in range(sentences):
        k = rng.integers(topics)
        out.append(k * words + rng.integers(0, words, length))
    return out


def skip_pairs(sentences, window=2):
    return np.array([(s[i], s[j]) for s in sentences for i in range(len(s)) for j in range(max(0, i - window), min(len(s), i + window + 1)) if i != j])


rng = np.random.default_rng(0)
torch.manual_seed(0)
pairs = skip_pairs(topic_corpus(rng))
model = SkipGram(32, 10)
optimizer = torch.optim.SparseAdam(list(model.parameters()), lr=2e-2)
for epoch in range(3):
    rng.shuffle(pairs)
    losses = []
    for chunk in np.array_split(pairs, len(pairs) // 128):
        chunk = torch.from_numpy(chunk)
        loss = model(chunk[:, 0], chunk[:, 1], torch.randint(0, 32, (len(chunk), 5)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    e = F.normalize(model.u.weight.detach(), dim=1)
    topic = torch.arange(32) // 8
    near = (e @ e.t()).fill_diagonal_(-1).argmax(1)
    print(f"epoch {epoch} loss {np.mean(losses):.3f} neighbour shares topic {(topic[near] == topic).float().mean():.2f}")
