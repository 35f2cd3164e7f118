import torch
from torch import nn


class TagHead(nn.Module):
    def __init__(self, dim, n_tags, dropout=0.1):
        super().__init__()
        self.drop = nn.Dropout(dropout)
        self.fc = nn.Linear(dim, n_tags)

    def forward(self, h):
        return torch.sigmoid(self.fc(self.drop(h)))


class Tagger(nn.Module):
    def __init__(self, vocab, dim, n_tags):
        super().__init__()
        self.emb = nn.EmbeddingBag(vocab, dim, mode="mean")
        self.head = TagHead(dim, n_tags)

    def forward(self, tokens):
        return self.head(self.emb(tokens))
