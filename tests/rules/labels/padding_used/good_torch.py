import torch
from torch import nn

torch.manual_seed(0)
PAD = 0
lengths = torch.randint(4, 13, (64, 1))
text = torch.where(torch.arange(12) < lengths, torch.randint(1, 30, (64, 12)), PAD)
model = nn.Sequential(nn.Embedding(30, 16, padding_idx=PAD), nn.Linear(16, 30))
criterion = nn.CrossEntropyLoss(ignore_index=PAD)
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

for step in range(40):
    batch = text[torch.randint(0, 64, (16,))]
    inputs, targets = batch[:, :-1], batch[:, 1:]
    optimizer.zero_grad()
    loss = criterion(model(inputs).flatten(0, 1), targets.flatten())
    loss.backward()
    optimizer.step()
