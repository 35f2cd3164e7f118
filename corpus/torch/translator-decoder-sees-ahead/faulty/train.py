import torch
from torch import nn

WORDS, WIDTH = 18, 32


class Translator(nn.Module):
    def __init__(self):
        super().__init__()
        self.word = nn.Embedding(WORDS, WIDTH)
        self.place = nn.Embedding(32, WIDTH)
        self.core = nn.Transformer(WIDTH, 4, 1, 1, 64, dropout=0.0, batch_first=True)
        self.head = nn.Linear(WIDTH, WORDS)

    def embed(self, ids):
        return self.word(ids) + self.place(torch.arange(ids.shape[1]))

    def forward(self, foreign, own):
        hidden = self.core(self.embed(foreign), self.embed(own))
        return self.head(hidden)


torch.manual_seed(9)
model = Translator()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
criterion = nn.CrossEntropyLoss()
for step in range(60):
    foreign = torch.randint(2, WORDS, (24, 14))
    own = torch.cat([torch.ones(24, 1, dtype=torch.long), foreign.flip(1)], dim=1)
    scores = model(foreign, own[:, :-1])
    loss = criterion(scores.transpose(1, 2), own[:, 1:])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print("loss", round(loss.item(), 4))
