import torch
from torch import nn

from focal import FocalLoss

torch.manual_seed(14)


def sensor_windows(n):
    x = torch.randn(n, 3, 32)
    event = (torch.rand(n) < 0.2)
    bump = torch.hann_window(9)
    for i in event.nonzero().flatten().tolist():
        at = int(torch.randint(0, 23, (1,)))
        x[i, :, at:at + 9] += 3.0 * bump
    return x, event.float().unsqueeze(1)


class EventNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(3, 16, 9, padding=4)
        self.fc = nn.Linear(16, 1)

    def forward(self, x):
        h = torch.relu(self.conv(x))
        return self.fc(h.amax(dim=-1))


x_train, y_train = sensor_windows(400)
x_valid, y_valid = sensor_windows(100)
net, focal = EventNet(), FocalLoss(gamma=1.0)
opt = torch.optim.SGD(net.parameters(), lr=0.2, momentum=0.9)
for epoch in range(6):
    perm = torch.randperm(len(x_train))
    for rows in perm.split(40):
        loss = focal(net(x_train[rows]), y_train[rows])
        opt.zero_grad()
        loss.backward()
        opt.step()
    with torch.no_grad():
        z = net(x_valid)
        tp = ((z > 0) & (y_valid > 0)).sum().item()
        f1 = 2 * tp / max(1, ((z > 0).sum() + (y_valid > 0).sum()).item())
    print(f"epoch {epoch} focal {loss.item():.4f} valid f1 {f1:.3f}")
