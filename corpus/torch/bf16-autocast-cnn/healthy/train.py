import torch
import torch.nn as nn
import torch.nn.functional as F


def conv_block(i, o):
    return nn.Sequential(nn.Conv2d(i, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU(inplace=True), nn.MaxPool2d(2))


class SmallNet(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.stem = conv_block(1, 8)
        self.body = conv_block(8, 16)
        self.head = nn.Linear(16 * 9, classes)

    def forward(self, x):
        return self.head(self.body(self.stem(x)).flatten(1))


def glyphs(n):
    y = torch.randint(0, 4, (n,))
    img = 0.3 * torch.randn(n, 1, 12, 12)
    for i, k in enumerate(y.tolist()):
        r, c = torch.randint(2, 8, (2,)).tolist()
        if k == 0:
            img[i, 0, r, 1:11] += 1.5
        elif k == 1:
            img[i, 0, 1:11, c] += 1.5
        elif k == 2:
            img[i, 0, r:r + 3, c:c + 3] += 1.5
        else:
            img[i, 0].diagonal().add_(1.5)
    return img, y


torch.manual_seed(19)
train_x, train_y = glyphs(384)
test_x, test_y = glyphs(128)
model = SmallNet(4)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True)

for epoch in range(6):
    model.train()
    order = torch.randperm(len(train_x))
    for idx in order.split(32):
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = model(train_x[idx])
            loss = F.cross_entropy(logits, train_y[idx])
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        acc = (model(test_x).argmax(1) == test_y).float().mean().item()
    print(f"epoch {epoch} loss {loss.float().item():.4f} acc {acc:.3f}")
