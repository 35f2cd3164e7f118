import torch
from torch import nn


class SentenceVAE(nn.Module):
    def __init__(self, words=16, width=24):
        super().__init__()
        self.word = nn.Embedding(words, width)
        self.reader = nn.GRU(width, width, batch_first=True, bidirectional=True)
        self.meaning = nn.Linear(2 * width, width)
        self.writer = nn.GRU(width, width, batch_first=True)
        self.head = nn.Linear(width, words)

    def forward(self, ids):
        _, last = self.reader(self.word(ids))
        meaning = torch.tanh(self.meaning(torch.cat([last[0], last[1]], dim=1)))
        hidden, _ = self.writer(self.word(ids[:, :-1]), meaning.unsqueeze(0))
        return self.head(hidden)


torch.manual_seed(6)
model = SentenceVAE()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
for step in range(60):
    first = torch.randint(0, 16, (32, 1))
    ids = (first + torch.randint(1, 4, (32, 1)) * torch.arange(13)) % 16
    loss = nn.functional.cross_entropy(model(ids).flatten(0, 1), ids[:, 1:].flatten())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print("loss", round(loss.item(), 4))
