import torch
from torch import nn

from melody import MelodyModel

NOTES, LENGTH = 16, 17


def tunes(n, g):
    """A phrase of four notes, then transposed by three at each repetition."""
    phrase = torch.randint(0, NOTES, (n, 4), generator=g)
    rows = [(phrase + 3 * k) % NOTES for k in range(5)]
    return torch.cat(rows, 1)[:, :LENGTH]


def main():
    torch.manual_seed(318)
    g = torch.Generator().manual_seed(318)
    model = MelodyModel(NOTES)
    opt = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for step in range(180):
        tune = tunes(48, g)
        scores = model(tune[:, :-1])
        loss = nn.functional.cross_entropy(scores.flatten(0, 1), tune[:, 1:].flatten())
        opt.zero_grad()
        loss.backward()
        opt.step()
        if step % 30 == 0:
            print(f"step {step} loss {loss.item():.4f}")
    tune = tunes(100, g)
    made = model.carry_on(tune[:, :8], LENGTH - 8)
    print("continued notes right", (made == tune)[:, 8:].float().mean().item())


main()
