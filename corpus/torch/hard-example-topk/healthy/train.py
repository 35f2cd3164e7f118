import torch
import torch.nn as nn


def ohem(logits, target, keep=0.5):
    each = nn.functional.cross_entropy(logits, target, reduction="none")
    k = max(1, int(keep * each.numel()))
    return each.topk(k).values.mean(), each.detach()


class ResidualMLP(nn.Module):
    def __init__(self, d, classes, depth=3):
        super().__init__()
        self.inp = nn.Linear(d, 40)
        self.blocks = nn.ModuleList([nn.Sequential(nn.LayerNorm(40), nn.Linear(40, 40), nn.ReLU(), nn.Linear(40, 40)) for _ in range(depth)])
        self.out = nn.Linear(40, classes)

    def forward(self, x):
        x = self.inp(x)
        for block in self.blocks:
            x = x + block(x)
        return self.out(x)


torch.manual_seed(83)
x = torch.randn(800, 9)
y = (2 * (x[:, 0] + x[:, 1] > 0) + (x[:, 2] - x[:, 3] > 0.3).long()).long()
model = ResidualMLP(9, 4)
opt = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-3)
for epoch in range(10):
    seen = torch.empty(800)
    for idx in torch.randperm(800).split(80):
        loss, each = ohem(model(x[idx]), y[idx])
        seen[idx] = each
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(f"epoch {epoch} mined loss {loss.item():.3f} mean over all {seen.mean():.3f} easy share {(seen < 0.1).float().mean():.2f}")
