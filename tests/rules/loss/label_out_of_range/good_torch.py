import torch
from torch import nn

torch.manual_seed(0)
reviews = torch.randn(200, 8)
stars = 1 + reviews[:, :5].argmax(dim=1)  # 1 to 5
model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 5))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

for step in range(30):
    optimizer.zero_grad()
    loss = criterion(model(reviews), stars - 1)
    loss.backward()
    optimizer.step()
