import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence
from torch.utils.data import DataLoader

from reviews import Reviews, VOCAB, collate


class SentimentLSTM(nn.Module):
    def __init__(self, dim=16, hidden=24):
        super().__init__()
        self.embed = nn.Embedding(VOCAB, dim, padding_idx=0)
        self.lstm = nn.LSTM(dim, hidden, batch_first=True)
        self.out = nn.Linear(hidden, 1)

    def forward(self, words, lengths):
        packed = pack_padded_sequence(self.embed(words), lengths, batch_first=True)
        _, (h, _) = self.lstm(packed)
        return self.out(h[-1]).squeeze(1)


torch.manual_seed(30)
loader = DataLoader(Reviews(320, 30), batch_size=32, shuffle=True, collate_fn=collate)
net = SentimentLSTM()
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(6):
    hits = seen = 0
    for words, lengths, mood in loader:
        logit = net(words, lengths)
        loss = criterion(logit, mood)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        hits += ((logit > 0) == (mood > 0.5)).sum().item()
        seen += len(mood)
    print(f"epoch {epoch} loss {loss.item():.3f} accuracy {hits / seen:.3f}")
