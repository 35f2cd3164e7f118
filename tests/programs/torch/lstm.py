import torch
from fingerprint import end, seed
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(30, 8, padding_idx=0)
        self.lstm = nn.LSTM(8, 10, num_layers=2, bidirectional=True, dropout=0.2, batch_first=True)
        self.out = nn.Linear(20, 4)

    def forward(self, ids, lengths):
        packed = pack_padded_sequence(self.embed(ids), lengths, batch_first=True, enforce_sorted=False)
        hidden, _ = self.lstm(packed)
        hidden, _ = pad_packed_sequence(hidden, batch_first=True)
        return self.out(hidden)


seed(6)
model = Tagger()
optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3)
losses = []
for step in range(4):
    lengths = torch.randint(2, 9, (5,))
    ids = pad_sequence([torch.randint(1, 30, (n,)) for n in lengths.tolist()], batch_first=True)
    tags = pad_sequence([torch.randint(0, 4, (n,)) for n in lengths.tolist()], batch_first=True, padding_value=-100)
    loss = nn.functional.cross_entropy(model(ids, lengths).flatten(0, 1), tags.flatten())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
end(losses, model, optimizer)
