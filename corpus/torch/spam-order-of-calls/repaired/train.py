import torch
from torch import nn


class BagOfWords(nn.Module):
    def __init__(self, vocab):
        super().__init__()
        self.bag = nn.EmbeddingBag(vocab, 8, mode="mean")
        self.fc = nn.Linear(8, 1)

    def forward(self, tokens):
        return self.fc(self.bag(tokens)).squeeze(1)


def messages(n, vocab=120, length=20):
    tokens = torch.randint(0, vocab, (n, length))
    spam = ((tokens < 15).sum(1) >= 3).float()
    return tokens, spam


torch.manual_seed(77)
tokens, spam = messages(640)
model = BagOfWords(120)
loss_fn = nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.05)

for epoch in range(8):
    total, right = 0.0, 0
    for t, s in zip(tokens.split(64), spam.split(64)):
        logit = model(t)
        loss = loss_fn(logit, s)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
        right += ((logit > 0).float() == s).sum().item()
    print(f"epoch {epoch + 1} loss {total / 10:.4f} acc {right / 640:.3f}")
