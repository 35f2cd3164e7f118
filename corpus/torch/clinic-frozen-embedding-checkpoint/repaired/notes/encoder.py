import torch
from torch import nn
from torch.utils.checkpoint import checkpoint


class NoteEncoder(nn.Module):
    def __init__(self, vocab, dim, depth):
        super().__init__()
        self.embed = nn.Embedding(vocab, dim)
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(dim, 2, 2 * dim, dropout=0.0, batch_first=True) for _ in range(depth)
        )
        self.gradient_checkpointing = False

    def forward(self, ids):
        h = self.embed(ids)
        for block in self.blocks:
            if self.gradient_checkpointing and self.training:
                h = checkpoint(block, h, use_reentrant=False)
            else:
                h = block(h)
        return h[:, 0]


class NoteClassifier(nn.Module):
    def __init__(self, vocab=24, dim=8, depth=2, classes=2):
        super().__init__()
        self.encoder = NoteEncoder(vocab, dim, depth)
        self.head = nn.Linear(dim, classes)

    def forward(self, ids):
        return self.head(self.encoder(ids))
