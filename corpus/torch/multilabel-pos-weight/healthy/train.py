import torch
import torch.nn as nn

SEED = 101
TAGS = ["sharp", "noisy", "tall", "rare"]


def load(n):
    g = torch.Generator().manual_seed(SEED)
    x = torch.randn(n, 18, generator=g)
    w = torch.randn(18, len(TAGS), generator=g) / 18 ** 0.5
    bar = torch.tensor([0.6, 0.8, 1.0, 1.3])
    return x, (x @ w > bar).float()


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.l1 = nn.Linear(18, 64)
        self.drop = nn.Dropout(0.1)
        self.l2 = nn.Linear(64, len(TAGS))

    def forward(self, x):
        return self.l2(self.drop(self.l1(x).relu()))


def f1(logits, y):
    p = (logits > 0).float()
    tp = (p * y).sum(0)
    return (2 * tp / (p.sum(0) + y.sum(0)).clamp(min=1)).tolist()


torch.manual_seed(SEED)
x, y = load(900)
xtr, ytr, xte, yte = x[:700], y[:700], x[700:], y[700:]
positives = ytr.sum(0)
criterion = nn.BCEWithLogitsLoss(pos_weight=((len(ytr) - positives) / positives).sqrt())
model = Tagger()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
for epoch in range(10):
    model.train()
    for idx in torch.randperm(700).split(70):
        optimizer.zero_grad()
        loss = criterion(model(xtr[idx]), ytr[idx])
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        scores = f1(model(xte), yte)
    print(epoch, f"{loss.item():.3f}", {t: round(s, 2) for t, s in zip(TAGS, scores)})
