from torch import nn


class ConvNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 10, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(10, 16, 3), nn.ReLU())
        self.classifier = nn.Linear(16 * 9, 3)

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))
