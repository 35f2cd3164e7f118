import torch
from torch import nn

from schedule import warmup_constant


class HelixPredictor(nn.Module):
    def __init__(self, residues=20, width=24):
        super().__init__()
        self.embed = nn.Embedding(residues, width)
        self.conv = nn.Conv1d(width, 24, 5, padding=2)
        self.out = nn.Conv1d(24, 1, 1)

    def forward(self, seq):
        h = self.embed(seq).transpose(1, 2)
        return self.out(torch.relu(self.conv(h))).squeeze(1)


def chains(gen, n=16, length=30):
    seq = torch.randint(0, 20, (n, length), generator=gen)
    helix = (seq < 9).float()
    return seq, helix


def main(steps=180, warmup=200):
    torch.manual_seed(6)
    gen = torch.Generator().manual_seed(6)
    net = HelixPredictor()
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-2)
    scheduler = warmup_constant(optimizer, warmup)
    for step in range(steps):
        seq, helix = chains(gen)
        logit = net(seq)
        loss = nn.functional.binary_cross_entropy_with_logits(logit, helix)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        if step % 30 == 29:
            acc = ((logit > 0).float() == helix).float().mean()
            print(f"step {step + 1} lr {scheduler.get_last_lr()[0]:.2e} loss {loss.item():.3f} acc {acc.item():.3f}")


main()
