import torch
from torch import nn

from notes.encoder import NoteClassifier


def build():
    model = NoteClassifier()
    model.encoder.embed.weight.requires_grad_(False)
    model.encoder.gradient_checkpointing = True
    return model


def notes(n, gen):
    ids = torch.randint(2, 24, (n, 10), generator=gen)
    ids[:, 0] = 1
    counts = (ids[:, 1:] < 9).sum(1)
    return ids, (counts > 2).long()


def main():
    torch.manual_seed(3)
    gen = torch.Generator().manual_seed(3)
    model = build()
    trainable = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(trainable, lr=3e-3)
    model.train()
    recent = []
    for step in range(1, 181):
        ids, y = notes(48, gen)
        out = model(ids)
        loss = nn.functional.cross_entropy(out, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        recent.append((out.argmax(1) == y).float().mean().item())
        if step % 30 == 0:
            print(f"step {step} loss {loss.item():.3f} acc {sum(recent[-30:]) / 30:.3f}")


main()
