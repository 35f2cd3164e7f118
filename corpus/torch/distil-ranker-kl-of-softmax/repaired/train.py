from dataclasses import dataclass

import torch
from torch import nn

from distil import ListwiseKL


@dataclass
class Options:
    lists: int = 256
    candidates: int = 8
    features: int = 10
    epochs: int = 8
    batch: int = 32
    lr: float = 1e-2


class Ranker(nn.Module):
    def __init__(self, features, hidden=24):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(features, hidden), nn.GELU(), nn.Linear(hidden, 1))

    def forward(self, docs):
        return self.net(docs).squeeze(-1)


def run(opt):
    torch.manual_seed(23)
    docs = torch.randn(opt.lists, opt.candidates, opt.features)
    direction = torch.randn(opt.features) / opt.features ** 0.5
    teacher_scores = 0.8 * docs @ direction
    student, objective = Ranker(opt.features), ListwiseKL()
    optimizer = torch.optim.AdamW(student.parameters(), lr=opt.lr)
    for epoch in range(opt.epochs):
        for rows in torch.randperm(opt.lists).split(opt.batch):
            loss = objective(student(docs[rows]), teacher_scores[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print(f"epoch {epoch} kl {loss.item():.4f}")
    with torch.no_grad():
        gap = (student(docs).softmax(-1) - teacher_scores.softmax(-1)).abs().sum(-1).mean()
    print(f"distance of student's and teacher's distributions {gap.item():.4f}")


run(Options())
