import argparse

import torch
from torch import nn

from margin import CosineMargin


def get_args():
    ap = argparse.ArgumentParser()
    ap.add_argument("--people", type=int, default=30)
    ap.add_argument("--epochs", type=int, default=10)
    ap.add_argument("--lr", type=float, default=0.05)
    return ap.parse_args()


def faces(people, per, gen):
    centre = torch.randn(people, 20, generator=gen)
    who = torch.arange(people).repeat_interleave(per)
    return centre[who] + 0.7 * torch.randn(len(who), 20, generator=gen), who


def main():
    args = get_args()
    torch.manual_seed(0)
    x, who = faces(args.people, 16, torch.Generator().manual_seed(1))
    embedder = nn.Linear(20, 6)
    criterion = CosineMargin(6, args.people)
    optimizer = torch.optim.SGD([*embedder.parameters(), *criterion.parameters()], lr=args.lr, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 6, gamma=0.3)
    for epoch in range(args.epochs):
        losses, hits = [], 0
        for part in torch.randperm(len(x)).split(48):
            optimizer.zero_grad()
            emb = embedder(x[part])
            loss = criterion(emb, who[part])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            hits += (criterion.cosine(emb).argmax(1) == who[part]).sum().item()
        scheduler.step()
        print(f"epoch {epoch}: loss {sum(losses) / len(losses):.3f}, rank-1 {hits / len(x):.3f}")


main()
