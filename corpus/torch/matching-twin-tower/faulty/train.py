import torch
from torch.nn import functional as F

from towers import Matcher

torch.manual_seed(6)
taste = torch.randn(600, 6)
users = taste @ torch.randn(6, 12) + 0.1 * torch.randn(600, 12)
items = torch.tanh(taste @ torch.randn(6, 16)) + 0.1 * torch.randn(600, 16)

model = Matcher(12, 16)
optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=12)


def top1(u, v):
    model.eval()
    with torch.no_grad():
        hit = model(u, v).argmax(1) == torch.arange(len(u))
    model.train()
    return hit.float().mean().item()


for epoch in range(12):
    for part in torch.randperm(500).split(50):
        scores = model(users[part], items[part])
        target = torch.arange(len(part))
        loss = 0.5 * (F.cross_entropy(scores, target) + F.cross_entropy(scores.t(), target))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    scheduler.step()
    print(f"epoch {epoch:2d} loss {loss.item():.3f} held-out top-1 {top1(users[500:], items[500:]):.2f}")
