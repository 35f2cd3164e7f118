import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset


class SignaturePairs(Dataset):
    def __init__(self, writers=10, per=16, pairs=480, seed=3):
        g = torch.Generator().manual_seed(seed)
        base = torch.randn(writers, 1, 24, generator=g)
        self.sign = base + 0.6 * torch.randn(writers, per, 24, generator=g)
        self.pairs = []
        for i in range(pairs):
            a = int(torch.randint(0, writers, (), generator=g))
            b = a if i % 2 == 0 else int((a + torch.randint(1, writers, (), generator=g)) % writers)
            i1, i2 = torch.randint(0, per, (2,), generator=g).tolist()
            self.pairs.append(((a, i1), (b, i2), float(a != b)))

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, k):
        (a, i), (b, j), differ = self.pairs[k]
        return self.sign[a, i], self.sign[b, j], torch.tensor(differ)


class Siamese(nn.Module):
    def __init__(self):
        super().__init__()
        self.tower = nn.Sequential(nn.Linear(24, 48), nn.PReLU(), nn.Linear(48, 8))

    def forward(self, a, b):
        return self.tower(a), self.tower(b)


class ContrastiveLoss(nn.Module):
    def __init__(self, margin=2.0):
        super().__init__()
        self.margin = margin

    def forward(self, e1, e2, differ):
        d = F.pairwise_distance(e1, e2)
        return ((1 - differ) * d.pow(2) + differ * (self.margin - d).clamp(min=0).pow(2)).mean()


if __name__ == "__main__":
    torch.manual_seed(3)
    loader = DataLoader(SignaturePairs(), batch_size=48, shuffle=True)
    net, criterion = Siamese(), ContrastiveLoss()
    opt = torch.optim.Adam(net.parameters(), lr=3e-3)
    for epoch in range(12):
        correct = total = 0
        for a, b, differ in loader:
            e1, e2 = net(a, b)
            loss = criterion(e1, e2, differ)
            opt.zero_grad()
            loss.backward()
            opt.step()
            correct += ((F.pairwise_distance(e1, e2) > 1.0).float() == differ).sum().item()
            total += len(differ)
        print(f"epoch {epoch} loss {loss.item():.3f} accuracy {correct / total:.3f}")
