import torch
from torch import nn

torch.manual_seed(0)
payments = torch.randn(2048, 6)
fraud = (torch.rand(2048) > 0.9).float()
model = nn.Linear(6, 1)
optimizer = torch.optim.Adam(model.parameters(), lr=0.1)

for step in range(120):
    optimizer.zero_grad()
    loss = nn.functional.binary_cross_entropy_with_logits(model(payments).squeeze(1), fraud)
    loss.backward()
    optimizer.step()
