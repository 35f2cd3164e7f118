import torch
import torch.nn as nn
import torch.nn.functional as F


class FocalLoss(nn.Module):
    def __init__(self, alpha=0.75, gamma=2.0):
        super().__init__()
        self.alpha, self.gamma = alpha, gamma

    def forward(self, logits, targets):
        bce = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
        p_t = torch.exp(-bce)
        a_t = self.alpha * targets + (1 - self.alpha) * (1 - targets)
        return (a_t * (1 - p_t) ** self.gamma * bce).mean()


def transactions(n, seed):
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 10, generator=g)
    score = x[:, 0] + 0.8 * x[:, 1] * x[:, 2] + 0.5 * x[:, 3]
    return x, (score > torch.quantile(score, 0.96)).float()


def average_precision(scores, y):
    hits = y[scores.argsort(descending=True)]
    precision = hits.cumsum(0) / torch.arange(1, len(hits) + 1)
    return ((precision * hits).sum() / hits.sum()).item()


class Detector:
    def __init__(self, lr):
        self.net = nn.Sequential(nn.Linear(10, 48), nn.ReLU(), nn.Linear(48, 24), nn.ReLU(), nn.Linear(24, 1))
        nn.init.constant_(self.net[-1].bias, -2.0)
        self.loss = FocalLoss()
        self.opt = torch.optim.Adam(self.net.parameters(), lr=lr)

    def partial_fit(self, x, y):
        self.opt.zero_grad()
        loss = self.loss(self.net(x).squeeze(-1), y)
        loss.backward()
        self.opt.step()
        return loss.item()

    @torch.no_grad()
    def score(self, x):
        return self.net(x).squeeze(-1)


torch.manual_seed(66)
x, y = transactions(3000, 1)
xt, yt = transactions(1000, 2)
det = Detector(5e-3)
for epoch in range(10):
    losses = [det.partial_fit(x[i], y[i]) for i in torch.randperm(len(x)).split(150)]
    print(f"epoch {epoch} loss {sum(losses) / len(losses):.5f} AP {average_precision(det.score(xt), yt):.3f}")
