import torch
from torch import nn

from implicit.layer import EquilibriumLayer
from implicit.tasks import parity_of_signs


class Classifier(nn.Module):
    def __init__(self, n_in, width, classes):
        super().__init__()
        self.encode = nn.Linear(n_in, width)
        self.equilibrium = EquilibriumLayer(width)
        self.decode = nn.Linear(width, classes)

    def forward(self, x):
        return self.decode(self.equilibrium(self.encode(x)))


def main():
    torch.manual_seed(30)
    x, y = parity_of_signs(800)
    net = Classifier(x.shape[1], 48, 2)
    opt = torch.optim.Adam(net.parameters(), lr=5e-3)
    for epoch in range(12):
        for idx in torch.randperm(640).split(64):
            loss = nn.functional.cross_entropy(net(x[idx]), y[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
        with torch.no_grad():
            acc = (net(x[640:]).argmax(1) == y[640:]).float().mean().item()
        print(f"epoch {epoch} loss {loss.item():.3f} test {acc:.3f} residual {net.equilibrium.residual:.1e}")


if __name__ == "__main__":
    main()
