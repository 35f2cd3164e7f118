import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import telemetry


def main():
    torch.manual_seed(321)
    features, targets = telemetry.parse(telemetry.export())
    x, y = torch.tensor(features), torch.tensor(targets).unsqueeze(1)
    loader = DataLoader(TensorDataset(x, y), batch_size=25, shuffle=True)
    net = nn.Sequential(nn.Linear(4, 32), nn.Mish(), nn.Linear(32, 1))
    opt = torch.optim.Adam(net.parameters(), lr=0.02)
    for epoch in range(8):
        for xb, yb in loader:
            loss = nn.functional.smooth_l1_loss(net(xb), yb)
            opt.zero_grad()
            loss.backward()
            opt.step()
        print("epoch", epoch, "loss", round(loss.item(), 6))
    wear = torch.tensor([[float(line.split(",")[-1])] for line in telemetry.export().readlines()[1:]])
    with torch.no_grad():
        corr = torch.corrcoef(torch.cat([net(x), wear], 1).T)[0, 1]
    print("correlation with wear", round(corr.item(), 3))


main()
