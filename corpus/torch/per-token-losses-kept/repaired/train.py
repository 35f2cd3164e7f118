import torch

from ner.model_utils import NERModel

VOCAB, TAGS = 40, 5


def sentences(n, length, g):
    ids = torch.randint(1, VOCAB, (n, length), generator=g)
    labels = ids % TAGS
    keep = torch.arange(length) < torch.randint(4, length + 1, (n, 1), generator=g)
    return ids * keep, labels * keep


def train_base(steps=60):
    torch.manual_seed(303)
    g = torch.Generator().manual_seed(303)
    model = NERModel(VOCAB, TAGS)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    for step in range(steps):
        ids, labels = sentences(16, 12, g)
        model.zero_grad()
        _, loss = model(ids, labels)
        loss.backward()
        optimizer.step()
        if step % 10 == 0:
            print(step, round(loss.item(), 4))
    ids, labels = sentences(100, 12, g)
    with torch.no_grad():
        hit = (model(ids).argmax(-1) == labels)[ids > 0]
    print("tokens right", hit.float().mean().item())


if __name__ == "__main__":
    train_base()
