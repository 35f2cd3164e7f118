import torch
import torch.nn as nn


class WordTagger(nn.Module):
    def __init__(self, emb, tags):
        super().__init__()
        self.emb = emb
        self.head = nn.Linear(emb.embedding_dim, tags)

    def forward(self, ids):
        return self.head(self.emb(ids))


def extend(old, extra):
    new = nn.Embedding(old.num_embeddings + extra, old.embedding_dim)
    with torch.no_grad():
        new.weight[:old.num_embeddings] = old.weight
        new.weight[old.num_embeddings:].mul_(0.1)
    keep = torch.zeros(new.num_embeddings, 1)
    keep[old.num_embeddings:] = 1
    new.weight.register_hook(lambda g: g * keep)
    return new


def run(model, ids, tags, steps, opt, tag):
    for step in range(steps):
        i = torch.randint(0, len(ids), (64,))
        loss = nn.functional.cross_entropy(model(ids[i]), tags[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
        if step % 25 == 24:
            with torch.no_grad():
                acc = (model(ids).argmax(1) == tags).float().mean().item()
            print(f"{tag} {step + 1} loss {loss.item():.3f} acc {acc:.3f}")


torch.manual_seed(2)
tag_of = torch.randint(0, 5, (60,))
model = WordTagger(nn.Embedding(40, 12), 5)
ids = torch.randint(0, 40, (1500,))
run(model, ids, tag_of[ids], 75, torch.optim.Adam(model.parameters(), lr=2e-2), "old words")

before = model.emb.weight.detach().clone()
model.emb = extend(model.emb, 20)
model.head.requires_grad_(False)
ids = torch.randint(0, 60, (1500,))
run(model, ids, tag_of[ids], 100, torch.optim.SGD([model.emb.weight], lr=3.0, momentum=0.8), "new words")
print("old rows unchanged:", torch.equal(before, model.emb.weight[:40].detach()))
