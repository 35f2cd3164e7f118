import random

import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader

POSITIVE = "great lovely superb crisp warm".split()
NEGATIVE = "awful bland greasy cold late".split()
FILLER = "the a food table staff was and very menu today lunch we our order plate".split()


class Vocab:
    def __init__(self, words):
        self.index = {"<pad>": 0, "<unk>": 1}
        for w in words:
            self.index.setdefault(w, len(self.index))

    def __len__(self):
        return len(self.index)

    def encode(self, text):
        return torch.tensor([self.index.get(w, 1) for w in text.split()])


def write_review(rng):
    good = rng.random() < 0.5
    strong, weak = (POSITIVE, NEGATIVE) if good else (NEGATIVE, POSITIVE)
    words = rng.choices(FILLER, k=rng.randint(3, 9)) + rng.choices(strong, k=2) + rng.choices(weak, k=rng.randint(0, 1))
    rng.shuffle(words)
    return " ".join(words), int(good)


class BagOfMeans(nn.Module):
    def __init__(self, n, d=16):
        super().__init__()
        self.embedding = nn.Embedding(n, d, padding_idx=0)
        self.fc = nn.Sequential(nn.Linear(d, 16), nn.ReLU(), nn.Linear(16, 2))

    def forward(self, ids):
        mask = (ids != 0).unsqueeze(-1).float()
        pooled = (self.embedding(ids) * mask).sum(1) / mask.sum(1).clamp(min=1)
        return self.fc(pooled)


def main():
    rng = random.Random(70)
    torch.manual_seed(70)
    reviews = [write_review(rng) for _ in range(480)]
    vocab = Vocab(POSITIVE + NEGATIVE + FILLER)

    def collate(rows):
        return pad_sequence([vocab.encode(t) for t, _ in rows], batch_first=True, padding_value=0), torch.tensor([y for _, y in rows])

    train = DataLoader(reviews[:400], batch_size=25, shuffle=True, collate_fn=collate)
    x_test, y_test = collate(reviews[400:])
    model = BagOfMeans(len(vocab))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for epoch in range(8):
        for ids, y in train:
            loss = nn.functional.cross_entropy(model(ids), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            acc = (model(x_test).argmax(1) == y_test).float().mean().item()
        print(f"epoch {epoch} loss {loss.item():.3f} test {acc:.3f}")


main()
