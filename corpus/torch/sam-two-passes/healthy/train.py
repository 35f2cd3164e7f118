import torch
import torch.nn as nn


class SAM(torch.optim.Optimizer):
    def __init__(self, params, base, rho=0.05, **kw):
        super().__init__(params, dict(rho=rho, **kw))
        self.base = base(self.param_groups, **kw)
        self.param_groups = self.base.param_groups

    @torch.no_grad()
    def ascend(self):
        norm = torch.stack([p.grad.norm() for g in self.param_groups for p in g["params"] if p.grad is not None]).norm()
        for g in self.param_groups:
            for p in g["params"]:
                if p.grad is None:
                    continue
                e = p.grad * (g["rho"] / (norm + 1e-12))
                p.add_(e)
                self.state[p]["e"] = e
        self.zero_grad()

    @torch.no_grad()
    def descend(self):
        for g in self.param_groups:
            for p in g["params"]:
                if "e" in self.state[p]:
                    p.sub_(self.state[p].pop("e"))
        self.base.step()
        self.zero_grad()


def dataset(n=500):
    x = torch.randn(n, 2) * 1.5
    y = ((x[:, 0] ** 2 + x[:, 1] ** 2) > 2.5).long() + 2 * (x[:, 0] > 0).long()
    return x, y


torch.manual_seed(47)
x, y = dataset()
model = nn.Sequential(nn.Linear(2, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 4))
loss_fn = nn.CrossEntropyLoss()
opt = SAM(model.parameters(), torch.optim.SGD, rho=0.05, lr=0.05, momentum=0.8)
for epoch in range(12):
    for idx in torch.randperm(len(x)).split(50):
        first = loss_fn(model(x[idx]), y[idx])
        first.backward()
        opt.ascend()
        loss_fn(model(x[idx]), y[idx]).backward()
        opt.descend()
    with torch.no_grad():
        acc = (model(x).argmax(1) == y).float().mean()
    print(f"epoch {epoch} loss {first.item():.3f} acc {acc.item():.3f}")
