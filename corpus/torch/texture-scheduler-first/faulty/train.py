import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class TextureNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 12, 5, padding=2)
        self.fc = nn.Linear(12, 4)

    def forward(self, x):
        return self.fc(self.conv(x).abs().mean((2, 3)))


def textures(n):
    g = torch.Generator().manual_seed(72)
    y = torch.randint(0, 4, (n,), generator=g)
    x = torch.randn(n, 1, 14, 14, generator=g)
    blurs = [torch.ones(1, 1, 1, 5), torch.ones(1, 1, 5, 1), torch.eye(5)[None, None], torch.eye(5).flip(0)[None, None]]
    out = torch.empty_like(x)
    for k, b in enumerate(blurs):
        pad = (b.shape[2] // 2, b.shape[3] // 2)
        out[y == k] = nn.functional.conv2d(x[y == k], b / 2, padding=pad)
    return TensorDataset(out, y)


class Experiment:
    def __init__(self, lr=0.05, gamma=0.5, every=40):
        torch.manual_seed(0)
        self.model = TextureNet()
        self.loader = DataLoader(textures(320), batch_size=16, shuffle=True)
        self.opt = torch.optim.Adam(self.model.parameters(), lr=lr)
        self.sched = torch.optim.lr_scheduler.StepLR(self.opt, step_size=every, gamma=gamma)

    def iterate(self, x, y):
        self.opt.zero_grad()
        out = self.model(x)
        nn.functional.cross_entropy(out, y).backward()
        self.sched.step()
        self.opt.step()
        return (out.argmax(1) == y).sum().item()

    def run(self, epochs=6):
        for e in range(epochs):
            right = sum(self.iterate(x, y) for x, y in self.loader)
            print(f"epoch {e} acc {right / 320:.3f} lr {self.sched.get_last_lr()[0]:.4f}")


Experiment().run()
