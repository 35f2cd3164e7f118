import torch
from torch import nn
from torch.utils.data import DataLoader

from roads import Roads


class RoadNet(nn.Module):
    def __init__(self, width=10):
        super().__init__()
        self.inp = nn.Conv2d(3, width, 3, padding=1)
        self.mid = nn.Conv2d(width, width, 3, padding=1)
        self.out = nn.Conv2d(width, 1, 1)

    def forward(self, x):
        x = torch.relu(self.inp(x))
        return self.out(torch.relu(self.mid(x)))


def main():
    torch.manual_seed(205)
    data = Roads(80)
    net = RoadNet()
    opt = torch.optim.Adam(net.parameters(), lr=0.01)
    criterion = nn.BCEWithLogitsLoss()
    for epoch in range(6):
        inter = union = 0
        for photo, mask in DataLoader(data, 8, shuffle=True):
            z = net(photo)
            loss = criterion(z, mask)
            opt.zero_grad()
            loss.backward()
            opt.step()
            p, t = z > 0, mask > 0
            inter += (p & t).sum().item()
            union += (p | t).sum().item()
        print(f"epoch {epoch} loss {loss.item():.3f} iou {inter / union:.3f}")


if __name__ == "__main__":
    main()
