import torch
from torch import nn


class MelodyModel(nn.Module):
    def __init__(self, notes, width=48, length=24):
        super().__init__()
        self.note = nn.Embedding(notes, width)
        self.place = nn.Embedding(length, width)
        layer = nn.TransformerEncoderLayer(width, 4, 96, dropout=0.0, batch_first=True)
        self.stack = nn.TransformerEncoder(layer, 2)
        self.out = nn.Linear(width, notes)

    def forward(self, notes):
        t = notes.size(1)
        h = self.note(notes) + self.place(torch.arange(t))
        h = self.stack(h, mask=nn.Transformer.generate_square_subsequent_mask(t))
        return self.out(h)

    @torch.no_grad()
    def carry_on(self, notes, steps):
        for _ in range(steps):
            notes = torch.cat([notes, self(notes)[:, -1:].argmax(-1)], 1)
        return notes
