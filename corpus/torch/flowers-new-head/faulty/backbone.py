from torch import nn


class TinyResNet(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.stem = nn.Conv2d(3, 12, 3, stride=2, padding=1)
        self.block = nn.Conv2d(12, 12, 3, padding=1)
        self.pool = nn.AdaptiveAvgPool2d(2)
        self.fc = nn.Linear(48, classes)

    def forward(self, x):
        x = self.stem(x).relu()
        x = (x + self.block(x)).relu()
        return self.fc(self.pool(x).flatten(1))
