import torch
from torch import nn


class Encoder(nn.Module):
    def __init__(self, vocab, hidden):
        super().__init__()
        self.emb = nn.Embedding(vocab, hidden)
        self.gru = nn.GRU(hidden, hidden, batch_first=True)

    def forward(self, src):
        return self.gru(self.emb(src))[1]


class Decoder(nn.Module):
    def __init__(self, vocab, hidden):
        super().__init__()
        self.emb = nn.Embedding(vocab, hidden)
        self.gru = nn.GRU(hidden, hidden, batch_first=True)
        self.out = nn.Linear(hidden, vocab)

    def forward(self, tokens, state):
        h, state = self.gru(self.emb(tokens), state)
        return self.out(h), state


class Seq2Seq(nn.Module):
    def __init__(self, vocab, hidden=48):
        super().__init__()
        self.encoder, self.decoder = Encoder(vocab, hidden), Decoder(vocab, hidden)

    def forward(self, src, tokens):
        return self.decoder(tokens, self.encoder(src))[0]

    @torch.no_grad()
    def greedy(self, src, start, length):
        state = self.encoder(src)
        tok = torch.full((len(src), 1), start)
        out = []
        for _ in range(length):
            scores, state = self.decoder(tok, state)
            tok = scores.argmax(-1)
            out.append(tok)
        return torch.cat(out, 1)
