import numpy as np
import torch


class LinearSVM(torch.nn.Module):
    def __init__(self, d):
        super().__init__()
        self.w = torch.nn.Parameter(torch.zeros(d))
        self.b = torch.nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return x @ self.w + self.b


def hinge(score, y):
    return torch.clamp(1 - y * score, min=0).mean()


rng = np.random.default_rng(85)
torch.manual_seed(85)
x = rng.normal(size=(500, 9)).astype("float32")
side = np.sign(x @ rng.normal(size=9) + 0.1 * rng.normal(size=500)).astype("float32")
x, y = torch.from_numpy(x), torch.from_numpy(side)
svm = LinearSVM(9)
opt = torch.optim.SGD(svm.parameters(), lr=0.2)
decay = torch.optim.lr_scheduler.LambdaLR(opt, lambda e: 1 / (1 + 0.3 * e))
for epoch in range(15):
    for idx in torch.randperm(400).split(25):
        opt.zero_grad()
        objective = hinge(svm(x[idx]), y[idx]) + 1e-3 * svm.w.square().sum()
        objective.backward()
        opt.step()
    decay.step()
    with torch.no_grad():
        s = svm(x)
        acc = (s[400:].sign() == y[400:]).float().mean().item()
        support = ((y * s)[:400] < 1).float().mean().item()
    print(f"epoch {epoch} objective {objective.item():.4f} test {acc:.3f} support vectors {support:.2f}")
