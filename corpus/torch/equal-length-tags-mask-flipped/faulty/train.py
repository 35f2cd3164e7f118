import torch
from torch import nn
import torch.nn.functional as F

PAD, WORDS, TAGS = 0, 50, 6


class Bucket:
    """All sentences of one length."""

    def __init__(self, length, count, lexicon, g):
        self.words = torch.randint(1, WORDS, (count, length), generator=g)
        self.tags = lexicon[self.words]
        # a word after an article-like word changes its tag
        after = F.pad(self.words[:, :-1] < 6, (1, 0))
        self.tags = torch.where(after, (self.tags + 1) % TAGS, self.tags)

    def batches(self, size, g):
        for rows in torch.randperm(len(self.words), generator=g).split(size):
            yield self.words[rows], self.tags[rows]


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(WORDS, 24, padding_idx=PAD)
        self.conv = nn.Conv1d(24, 32, 3, padding=1)
        self.out = nn.Linear(32, TAGS)

    def forward(self, words):
        h = F.relu(self.conv(self.emb(words).transpose(1, 2)))
        return self.out(h.transpose(1, 2))


def masked_loss(scores, tags, words):
    keep = (words == PAD).float()
    per_word = F.cross_entropy(scores.transpose(1, 2), tags, reduction="none")
    return (per_word * keep).sum() / keep.sum().clamp(min=1)


def main():
    g = torch.Generator().manual_seed(16)
    torch.manual_seed(16)
    lexicon = torch.randint(0, TAGS, (WORDS,), generator=g)
    buckets = [Bucket(n, 64, lexicon, g) for n in (6, 9, 12)]
    net = Tagger()
    opt = torch.optim.Adam(net.parameters(), lr=0.01)
    for epoch in range(6):
        for bucket in buckets:
            for words, tags in bucket.batches(16, g):
                loss = masked_loss(net(words), tags, words)
                opt.zero_grad()
                loss.backward()
                opt.step()
        with torch.no_grad():
            hits = [(net(b.words).argmax(-1) == b.tags).float().mean().item() for b in buckets]
        print(f"epoch {epoch} loss {loss.item():.4f} tag accuracy {sum(hits) / 3:.3f}")


main()
