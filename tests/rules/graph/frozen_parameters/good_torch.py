import torch
from torch import nn

torch.manual_seed(0)
backbone = nn.Sequential(nn.Linear(8, 16), nn.Tanh())
head = nn.Linear(16, 2)
model = nn.Sequential(backbone, head)
for parameter in backbone.parameters():
    parameter.requires_grad = False

images = torch.randn(128, 8)
labels = (images[:, 0] > 0).long()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

for step in range(30):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(images), labels)
    loss.backward()
    optimizer.step()
