import torch
from torch import nn

torch.manual_seed(8)
dose = torch.randn(600, 3)
response = (dose @ torch.tensor([0.4, -0.2, 0.1]) + torch.randn(600)).unsqueeze(1)
model = nn.Sequential(nn.Linear(3, 64), nn.Linear(64, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for step in range(100):
    rows = torch.randint(0, 600, (32,))
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(dose[rows]), response[rows])
    loss.backward()
    optimizer.step()
print("loss", round(loss.item(), 4))
