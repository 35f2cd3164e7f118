import torch
from torch import nn
import torch.nn.functional as F


class SentenceNet(nn.Module):
    def __init__(self, vocab, dim, classes):
        super().__init__()
        self.emb = nn.Embedding(vocab, dim)
        self.scorer = nn.Sequential(nn.Linear(dim, dim), nn.Tanh(), nn.Linear(dim, 1))
        self.out = nn.Linear(dim, classes)

    def pool(self, h):
        return h.mean(dim=1)

    def attend(self, h):
        weights = self.scorer(h).softmax(dim=1)
        return (weights * h).sum(dim=1)

    def forward(self, ids):
        h = self.emb(ids)
        return self.out(self.attend(h))


def corpus(n, seed):
    """Class is given by one key word (ids 0 to 3) hidden among distractors."""
    g = torch.Generator().manual_seed(seed)
    ids = torch.randint(4, 60, (n, 40), generator=g)
    y = torch.randint(0, 4, (n,), generator=g)
    where = torch.randint(0, 40, (n,), generator=g)
    ids[torch.arange(n), where] = y
    return ids, y


def main():
    torch.manual_seed(9)
    ids, y = corpus(600, 0)
    test_ids, test_y = corpus(300, 1)
    model = SentenceNet(60, 12, 4)
    opt = torch.optim.Adam(model.parameters(), lr=0.02)
    for epoch in range(8):
        for part in torch.randperm(len(ids)).split(60):
            loss = F.cross_entropy(model(ids[part]), y[part])
            opt.zero_grad()
            loss.backward()
            opt.step()
        with torch.no_grad():
            acc = (model(test_ids).argmax(1) == test_y).float().mean().item()
        print(f"{epoch}: loss {loss.item():.3f}, test accuracy {acc:.3f}")


main()
