import torch
from torch import nn


class Copier(nn.Module):
    def __init__(self, symbols=12, dim=24):
        super().__init__()
        self.embed = nn.Embedding(symbols, dim)
        layer = nn.TransformerEncoderLayer(dim, 2, 48, dropout=0.0, batch_first=True)
        self.enc = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
        self.out = nn.Linear(dim, symbols)

    def forward(self, ids):
        return self.out(self.enc(self.embed(ids)))
