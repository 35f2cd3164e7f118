import torch
from torch import nn

torch.manual_seed(0)
centres = torch.randn(4, 12)
kinds = torch.randint(0, 4, (512,))
samples = centres[kinds] + torch.randn(512, 12)
model = nn.Sequential(nn.Linear(12, 64), nn.ReLU(), nn.Dropout(0.95), nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.95), nn.Linear(64, 4))
optimizer = torch.optim.Adam(model.parameters(), lr=0.001)

for step in range(40):
    chosen = torch.randint(0, 512, (64,))
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(samples[chosen]), kinds[chosen])
    loss.backward()
    optimizer.step()
