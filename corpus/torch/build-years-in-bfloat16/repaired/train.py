import torch
from torch import nn

torch.manual_seed(14)
wear = torch.randn(400, 5)
built = 1985 + 2.5 * wear[:, :1] + wear[:, 1:2]
target = (built - 1985).to(torch.bfloat16)
model = nn.Linear(5, 1)
optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
for step in range(60):
    rows = torch.randint(0, 400, (80,))
    optimizer.zero_grad()
    loss = nn.functional.smooth_l1_loss(model(wear[rows]), target[rows].float())
    loss.backward()
    optimizer.step()
print("loss", round(loss.item(), 3))
