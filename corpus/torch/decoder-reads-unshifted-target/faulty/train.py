import torch
from torch import nn

from seq2seq import Seq2Seq

START, VOCAB, LENGTH = 0, 9, 4


def translate_pairs(n, g):
    """Target: source backwards, every symbol replaced by its partner."""
    src = torch.randint(1, VOCAB, (n, LENGTH), generator=g)
    partner = torch.arange(VOCAB)
    partner[1:] = torch.tensor([3, 1, 2, 5, 4, 8, 6, 7])
    tgt = partner[src.flip(1)]
    return src, torch.cat([torch.full((n, 1), START), tgt], 1)


class Coach:
    def __init__(self, net, lr):
        self.net = net
        self.opt = torch.optim.Adam(net.parameters(), lr=lr)
        self.ce = nn.CrossEntropyLoss()

    def step(self, src, tgt):
        scores = self.net(src, tgt)
        loss = self.ce(scores.flatten(0, 1), tgt.flatten())
        self.opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.opt.step()
        return loss.item()


torch.manual_seed(70)
g = torch.Generator().manual_seed(70)
coach = Coach(Seq2Seq(VOCAB), lr=0.01)
for it in range(150):
    loss = coach.step(*translate_pairs(64, g))
    if it % 25 == 0:
        print(f"iteration {it} loss {loss:.4f}")
src, tgt = translate_pairs(200, g)
hit = (coach.net.greedy(src, START, LENGTH) == tgt[:, 1:]).float().mean().item()
print("symbols right when decoding", round(hit, 3))
