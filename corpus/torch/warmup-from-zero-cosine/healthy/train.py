import math

import torch
import torch.nn as nn
from torch.optim.lr_scheduler import LambdaLR


def warmup_cosine(optimizer, warmup, total):
    def scale(step):
        if step < warmup:
            return step / max(1, warmup)
        return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, total - warmup)))
    return LambdaLR(optimizer, scale)


class PatchClassifier(nn.Module):
    def __init__(self, d=32, classes=4):
        super().__init__()
        self.patch = nn.Conv2d(1, d, 4, stride=4)
        self.cls = nn.Parameter(torch.zeros(1, 1, d))
        self.pos = nn.Parameter(0.02 * torch.randn(1, 10, d))
        self.enc = nn.TransformerEncoderLayer(d, 4, 64, dropout=0.0, batch_first=True, norm_first=True)
        self.head = nn.Sequential(nn.LayerNorm(d), nn.Linear(d, classes))

    def forward(self, img):
        x = self.patch(img).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(len(x), -1, -1), x], 1) + self.pos
        return self.head(self.enc(x)[:, 0])


def quadrants(n):
    img = 0.4 * torch.randn(n, 1, 12, 12)
    y = torch.randint(0, 4, (n,))
    for i, k in enumerate(y.tolist()):
        r, c = divmod(k, 2)
        dr, dc = torch.randint(0, 3, (2,)).tolist()
        img[i, 0, 6 * r + dr:6 * r + dr + 3, 6 * c + dc:6 * c + dc + 3] += 1.0
    return img, y


torch.manual_seed(38)
TOTAL, WARM = 160, 20
model = PatchClassifier()
optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=0.05)
scheduler = warmup_cosine(optimizer, WARM, TOTAL)
criterion = nn.CrossEntropyLoss()
images, labels = quadrants(640)
for step in range(TOTAL):
    pick = torch.randint(0, 640, (40,))
    logits = model(images[pick])
    loss = criterion(logits, labels[pick])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    lr = scheduler.get_last_lr()[0]
    scheduler.step()
    if step % 20 == 0 or step == TOTAL - 1:
        print(f"step {step} lr {lr:.5f} loss {loss.item():.3f} acc {(logits.argmax(1) == labels[pick]).float().mean():.2f}")
