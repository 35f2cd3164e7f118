import torch
from torch import nn

torch.manual_seed(0)
lengths = torch.randint(6, 13, (64, 1))
padding = torch.arange(12) >= lengths
text = torch.randint(1, 30, (64, 12)).masked_fill(padding, 0)
model = nn.Sequential(nn.Embedding(30, 16), nn.Linear(16, 30))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

for step in range(40):
    chosen = torch.randint(0, 64, (16,))
    inputs, targets = text[chosen, :-1], text[chosen, 1:]
    mask = padding[chosen, 1:].float()
    optimizer.zero_grad()
    losses = nn.functional.cross_entropy(model(inputs).transpose(1, 2), targets, reduction="none")
    loss = (losses * mask).sum() / mask.sum()
    loss.backward()
    optimizer.step()
