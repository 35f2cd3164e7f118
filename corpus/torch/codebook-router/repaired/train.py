import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(13)


class Router(nn.Module):
    def __init__(self, d_in, slots):
        super().__init__()
        self.score = nn.Sequential(nn.Linear(d_in, 24), nn.Tanh(), nn.Linear(24, slots))

    def forward(self, x):
        return self.score(x)


class CodebookNet(nn.Module):
    def __init__(self, d_in=6, slots=8, d_code=5, n_out=4):
        super().__init__()
        self.router = Router(d_in, slots)
        self.table = nn.Embedding(slots, d_code)
        self.decode = nn.Linear(d_code, n_out)

    def forward(self, x):
        scores = self.router(x)
        code = scores.softmax(dim=-1) @ self.table.weight
        return self.decode(code)


def batches(x, y, size):
    for idx in torch.randperm(len(x)).split(size):
        yield x[idx], y[idx]


centres = torch.randn(4, 6)
labels = torch.randint(0, 4, (480,))
points = centres[labels] + 0.6 * torch.randn(480, 6)

net = CodebookNet()
optim = torch.optim.Adam(net.parameters(), lr=0.01)
for epoch in range(12):
    right = 0
    for x, y in batches(points, labels, 48):
        out = net(x)
        loss = F.cross_entropy(out, y)
        optim.zero_grad()
        loss.backward()
        optim.step()
        right += (out.argmax(1) == y).sum().item()
    print(f"epoch {epoch} accuracy {right / len(points):.3f}")
