import torch
from torch import nn

torch.manual_seed(3)
teacher = torch.randn(12, 4)
signals = torch.randn(500, 12)
answers = signals @ teacher + 0.2 * torch.randn(500, 4)
student = nn.Sequential(nn.Linear(12, 32, bias=False), nn.Linear(32, 32, bias=False), nn.Linear(32, 4, bias=False))
optimizer = torch.optim.SGD(student.parameters(), lr=0.05)
for step in range(150):
    rows = torch.randint(0, 500, (64,))
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(student(signals[rows]), answers[rows])
    loss.backward()
    optimizer.step()
print("loss", round(loss.item(), 4))
