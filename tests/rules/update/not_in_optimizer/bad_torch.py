import torch
from torch import nn


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(8, 16)
        self.head = nn.Linear(16, 2)

    def forward(self, x):
        return self.head(torch.tanh(self.encoder(x)))


torch.manual_seed(0)
points = torch.randn(128, 8)
labels = (points[:, 0] > 0).long()
model = Tagger()
optimizer = torch.optim.Adam(model.head.parameters(), lr=0.01)

for step in range(30):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(points), labels)
    loss.backward()
    optimizer.step()
