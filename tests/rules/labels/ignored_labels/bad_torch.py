import torch
from torch import nn

torch.manual_seed(0)
text = torch.randint(1, 30, (64, 10))
model = nn.Sequential(nn.Embedding(30, 16), nn.Linear(16, 30))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

for step in range(30):
    batch = text[torch.randint(0, 64, (16,))]
    labels = torch.where(batch > 0, -100, (batch + 1) % 30)  # 0 is padding
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(batch).flatten(0, 1), labels.flatten())
    loss.backward()
    optimizer.step()
