import torch
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset

NUM_CLASSES = 8


def make_images(n, g):
    """Each class lights up another cell of a 2 x 4 grid."""
    y = torch.randint(0, NUM_CLASSES, (n,), generator=g)
    x = 0.4 * torch.randn(n, 1, 8, 16, generator=g)
    for i, k in enumerate(y.tolist()):
        r, c = divmod(k, 4)
        x[i, 0, 4 * r:4 * r + 4, 4 * c:4 * c + 4] += 1.0
    return x, y


class ShapeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
        )
        self.classifier = nn.Sequential(
            nn.Linear(8 * 4 * 8, 32),
            nn.ReLU(),
            nn.Linear(32, NUM_CLASSES),
            nn.Softmax(dim=1),
        )

    def forward(self, x):
        return self.classifier(self.features(x))


g = torch.Generator().manual_seed(1)
torch.manual_seed(1)
x, y = make_images(320, g)
loader = DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True, generator=g)
net = ShapeNet()
criterion = nn.CrossEntropyLoss()
optimizer = optim.SGD(net.parameters(), lr=0.05, momentum=0.9)

for epoch in range(5):
    running = 0.0
    for images, target in loader:
        optimizer.zero_grad()
        scores = net(images)
        loss = criterion(scores, target)
        loss.backward()
        optimizer.step()
        running += loss.item()
    with torch.no_grad():
        acc = (net(x).argmax(1) == y).float().mean()
    print(f"epoch {epoch + 1} loss {running / len(loader):.4f} acc {acc:.3f}")
