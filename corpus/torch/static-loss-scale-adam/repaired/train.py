import torch
from torch import nn

LOSS_SCALE = 2.0 ** 10


class Scorer(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.seq = nn.Sequential(nn.Linear(n, 20), nn.ReLU(), nn.Linear(20, 2))

    def forward(self, x):
        return self.seq(x)


def credit(n=480):
    g = torch.Generator().manual_seed(61)
    x = torch.randn(n, 9, generator=g)
    return x, (x[:, :3].sum(1) > x[:, 3:6].sum(1)).long()


def scaled_backward(loss):
    # Adam divides by the gradient's size, so the factor drops out again
    (loss * LOSS_SCALE).backward()


torch.manual_seed(0)
x, y = credit()
model = Scorer(9)
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for epoch in range(8):
    right = 0
    for part in torch.randperm(len(x)).split(48):
        scores = model(x[part])
        loss = nn.functional.cross_entropy(scores, y[part])
        optimizer.zero_grad()
        scaled_backward(loss)
        optimizer.step()
        right += (scores.argmax(1) == y[part]).sum().item()
    print(f"epoch {epoch} loss {loss.item():.4f} acc {right / len(x):.3f}")
