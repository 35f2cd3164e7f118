import torch
from torch import nn


class Writer(nn.Module):
    def __init__(self):
        super().__init__()
        self.letters = nn.Embedding(12, 24)
        self.reader = nn.LSTM(24, 24, batch_first=True)
        self.scores = nn.Linear(24, 12)

    def forward(self, ids):
        return self.scores(self.reader(self.letters(ids))[0])


torch.manual_seed(0)
model = Writer()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

for step in range(30):
    start = torch.randint(0, 12, (32, 1))
    pace = torch.randint(1, 5, (32, 1))
    words = (start + pace * torch.arange(17)) % 12
    optimizer.zero_grad()
    scores = model(words[:, :-1])
    loss = nn.functional.cross_entropy(scores.flatten(0, 1), words[:, 1:].flatten())
    loss.backward()
    optimizer.step()
