from torch import nn


def dense(n_in, n_out):
    return nn.Sequential(nn.Linear(n_in, n_out), nn.ReLU())


class LeafNet(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.flatten = nn.Flatten()
        self.linear_relu_stack = nn.Sequential(
            dense(100, 48),
            dense(48, 24),
            dense(24, classes),
        )

    def forward(self, x):
        return self.linear_relu_stack(self.flatten(x))
