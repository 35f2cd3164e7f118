import torch
from torch import nn

from tagger.finetune import trainable_only
from tagger.model import Tagger

SEED, STEPS, BATCH = 5, 60, 32


def sample(gen):
    ids = torch.randint(0, 30, (BATCH, 9), generator=gen)
    return ids, ids % 4


def main():
    torch.manual_seed(SEED)
    gen = torch.Generator().manual_seed(SEED)
    model = Tagger()
    optimizer = torch.optim.AdamW(trainable_only(model), lr=2e-2)
    loss_fn = nn.CrossEntropyLoss()
    model.train()
    for step in range(1, STEPS + 1):
        ids, tags = sample(gen)
        scores = model(ids)
        loss = loss_fn(scores.flatten(0, 1), tags.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 10 == 0:
            acc = (scores.argmax(-1) == tags).float().mean().item()
            print(f"step {step} loss {loss.item():.3f} acc {acc:.3f}")


main()
