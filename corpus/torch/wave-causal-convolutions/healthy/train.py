import torch
import torch.nn.functional as F
from torch import nn


class CausalConv(nn.Module):
    def __init__(self, a, b, dilation):
        super().__init__()
        self.pad = 2 * dilation
        self.conv = nn.Conv1d(a, b, 3, dilation=dilation)
        self.norm = nn.BatchNorm1d(b)

    def forward(self, x):
        return F.relu(self.norm(self.conv(F.pad(x, (self.pad, 0)))))


torch.manual_seed(4)
model = nn.Sequential(CausalConv(1, 24, 1), CausalConv(24, 24, 2), nn.Conv1d(24, 1, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
for step in range(60):
    start = torch.rand(32, 1) * 6
    wave = torch.sin(start + 0.4 * torch.arange(25)).unsqueeze(1)
    guess = model(wave[:, :, :-1])
    loss = F.mse_loss(guess.squeeze(1), wave[:, 0, 1:])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print("loss", round(loss.item(), 4))
