import torch
from torch import nn
import torch.nn.functional as F

CHORDS = BEATS = 8
PITCHES = 12


class ChordTagger(nn.Module):
    def __init__(self, dim=32):
        super().__init__()
        self.lift = nn.Linear(PITCHES, dim)
        layer = nn.TransformerEncoderLayer(dim, 4, 64, dropout=0.0, batch_first=True)
        self.mix = nn.TransformerEncoder(layer, 1)
        self.tag = nn.Linear(dim, CHORDS)

    def forward(self, chroma):
        return self.tag(self.mix(self.lift(chroma)))


def bars(n, g):
    chords = torch.randint(0, CHORDS, (n, BEATS), generator=g)
    template = (torch.rand(CHORDS, PITCHES, generator=torch.Generator().manual_seed(7)) < 0.35).float()
    return template[chords] + 0.3 * torch.randn(n, BEATS, PITCHES, generator=g), chords


def sequence_loss(scores, chords):
    return F.cross_entropy(scores, chords)


torch.manual_seed(213)
g = torch.Generator().manual_seed(213)
model = ChordTagger()
optim = torch.optim.AdamW(model.parameters(), lr=3e-3)
for step in range(60):
    chroma, chords = bars(32, g)
    loss = sequence_loss(model(chroma), chords)
    optim.zero_grad()
    loss.backward()
    optim.step()
    if step % 10 == 0:
        print(step, f"{loss.item():.4f}")
chroma, chords = bars(200, g)
with torch.no_grad():
    print("tags right", (model(chroma).argmax(-1) == chords).float().mean().item())
