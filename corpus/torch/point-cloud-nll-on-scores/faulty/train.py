import torch
from torch.utils.data import DataLoader, Dataset

from pointnet_tiny import PointNetCls, PointNetLoss


class Solids(Dataset):
    names = ("sphere", "box", "disc", "rod")

    def __init__(self, n, points=48, seed=0):
        g = torch.Generator().manual_seed(seed)
        self.labels = torch.randint(0, 4, (n,), generator=g)
        cloud = torch.randn(n, 3, points, generator=g)
        for i, k in enumerate(self.labels.tolist()):
            p = cloud[i]
            if k == 0:
                p /= p.norm(dim=0, keepdim=True)
            elif k == 1:
                p.clamp_(-0.7, 0.7)
            elif k == 2:
                p[2] *= 0.05
            else:
                p[:2] *= 0.1
        self.cloud = cloud

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        return self.cloud[i], self.labels[i]


def main():
    torch.manual_seed(0)
    data = Solids(256)
    loader = DataLoader(data, 32, shuffle=True)
    net, criterion = PointNetCls(len(Solids.names)), PointNetLoss()
    opt = torch.optim.Adam(net.parameters(), lr=5e-3)
    for epoch in range(7):
        net.train()
        hits = 0
        for pts, lab in loader:
            pred, feat = net(pts)
            loss = criterion(pred, lab, feat)
            opt.zero_grad()
            loss.backward()
            opt.step()
            hits += (pred.argmax(1) == lab).sum().item()
        print(f"epoch {epoch}: loss {loss.item():.3f} acc {hits / len(data):.3f}")


main()
