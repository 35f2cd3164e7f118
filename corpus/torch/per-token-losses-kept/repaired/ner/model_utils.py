import torch
from torch import nn


class NERModel(nn.Module):
    def __init__(self, vocab, tags, loss_type="ce", hidden=24):
        super().__init__()
        self.embed = nn.Embedding(vocab, hidden, padding_idx=0)
        self.rnn = nn.GRU(hidden, hidden, batch_first=True, bidirectional=True)
        self.mid = nn.Linear(2 * hidden, tags)
        if loss_type == "ce":
            self.criterion = nn.CrossEntropyLoss(reduction="none")
        else:
            raise ValueError(loss_type)

    def forward(self, ids, labels=None):
        scores = self.mid(self.rnn(self.embed(ids))[0])
        if labels is None:
            return scores
        active = ids.view(-1) > 0
        loss = self.criterion(scores.view(-1, scores.size(-1))[active], labels.view(-1)[active]).mean()
        return scores, loss
