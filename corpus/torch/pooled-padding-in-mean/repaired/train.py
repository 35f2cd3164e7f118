import torch
from torch import nn
from torch.utils.data import DataLoader

from encoder import MeanEncoder

VOCAB, TOPICS = 60, 4


def sentences(n, seed):
    g = torch.Generator().manual_seed(seed)
    rows = []
    for _ in range(n):
        topic = int(torch.randint(0, TOPICS, (1,), generator=g))
        length = 3 if torch.rand(1, generator=g) < 0.9 else 60
        words = torch.randint(1, VOCAB, (length,), generator=g)
        hits = torch.rand(length, generator=g) < 0.6
        words[hits] = torch.randint(1, 8, (int(hits.sum()),), generator=g) + 7 * topic
        rows.append((words, topic))
    return rows


def pad(batch):
    words, topics = zip(*batch)
    ids = nn.utils.rnn.pad_sequence(words, batch_first=True)
    return ids, (ids > 0).float(), torch.tensor(topics)


def main():
    torch.manual_seed(322)
    train, test = sentences(320, 1), sentences(200, 2)
    net = MeanEncoder(VOCAB, 16, TOPICS)
    opt = torch.optim.Adam(net.parameters(), lr=3e-3)
    for epoch in range(8):
        for ids, mask, topic in DataLoader(train, 32, shuffle=True, collate_fn=pad):
            loss = nn.functional.cross_entropy(net(ids, mask), topic)
            opt.zero_grad()
            loss.backward()
            opt.step()
        with torch.no_grad():
            hits = sum((net(*pad([row])[:2]).argmax(1) == row[1]).item() for row in test)
        print(f"epoch {epoch} loss {loss.item():.4f} single sentences right {hits / len(test):.3f}")


if __name__ == "__main__":
    main()
