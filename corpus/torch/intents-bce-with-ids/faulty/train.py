import torch
from torch import nn
import torch.nn.functional as F

INTENTS = ["greet", "book", "cancel", "pay", "other"]


class BagOfWords(nn.Module):
    def __init__(self, vocab, classes):
        super().__init__()
        self.l1 = nn.Linear(vocab, 16)
        self.l2 = nn.Linear(16, classes)

    def forward(self, bag):
        return self.l2(torch.relu(self.l1(bag)))


def utterances(n, vocab, g):
    intent = torch.randint(0, len(INTENTS), (n,), generator=g)
    weight = torch.rand(len(INTENTS), vocab, generator=g) ** 4
    bag = (torch.rand(n, vocab, generator=g) < 0.9 * weight[intent]).float()
    return bag, intent


def as_float_targets(intent):
    return intent.float()


torch.manual_seed(201)
g = torch.Generator().manual_seed(201)
bag, intent = utterances(320, 40, g)
model = BagOfWords(40, len(INTENTS))
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for epoch in range(8):
    for rows in torch.randperm(320, generator=g).split(32):
        outputs = model(bag[rows])
        loss = criterion(outputs, as_float_targets(intent[rows]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"Epoch [{epoch + 1}/8], Loss: {loss.item():.4f}")
print("right:", (model(bag).argmax(1) == intent).float().mean().item())
