import torch
import torch.nn as nn
from torch.optim.swa_utils import SWALR, AveragedModel, update_bn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(81)


def two_rings(n):
    y = torch.randint(0, 2, (n,))
    a = torch.rand(n) * 6.2832
    r = 1.0 + y + 0.18 * torch.randn(n)
    return torch.stack([r * a.cos(), r * a.sin()], 1), y


train_loader = DataLoader(TensorDataset(*two_rings(480)), batch_size=40, shuffle=True)
test_x, test_y = two_rings(200)
net = nn.Sequential(nn.Linear(2, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 2))
swa_net = AveragedModel(net)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=12)
swa_scheduler = SWALR(optimizer, swa_lr=0.03, anneal_epochs=2)
swa_start = 6

for epoch in range(12):
    net.train()
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
    if epoch >= swa_start:
        swa_net.update_parameters(net)
        swa_scheduler.step()
    else:
        scheduler.step()
    net.eval()
    with torch.no_grad():
        print(epoch, f"{loss.item():.3f}", f"{(net(test_x).argmax(1) == test_y).float().mean().item():.3f}")

update_bn(train_loader, swa_net)
swa_net.eval()
with torch.no_grad():
    print("averaged", (swa_net(test_x).argmax(1) == test_y).float().mean().item())
