import torch
from torch import nn
from torch.nn.utils import clip_grad_norm_

from seq import Copier

HPARAMS = {"lr": 0.2, "min_lr": 5e-4, "clip": 1.0, "steps": 120, "batch": 32}


def update(model, optimizer, loss, hp):
    optimizer.zero_grad()
    loss.backward()
    clip_grad_norm_(model.parameters(), hp["clip"])
    optimizer.step()


def main(hp):
    torch.manual_seed(20)
    gen = torch.Generator().manual_seed(20)
    model = Copier()
    optimizer = torch.optim.SGD(model.parameters(), lr=hp["lr"])
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, hp["steps"], eta_min=hp["min_lr"])
    for step in range(1, hp["steps"] + 1):
        ids = torch.randint(0, 12, (hp["batch"], 8), generator=gen)
        goal = (ids * 5 + 1) % 12
        logits = model(ids)
        loss = nn.functional.cross_entropy(logits.transpose(1, 2), goal)
        update(model, optimizer, loss, hp)
        scheduler.step()
        if step % 20 == 0:
            acc = (logits.argmax(-1) == goal).float().mean().item()
            print(f"step {step} loss {loss.item():.3f} acc {acc:.3f}")


main(HPARAMS)
