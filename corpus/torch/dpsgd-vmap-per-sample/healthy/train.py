import torch
import torch.nn as nn
from torch.func import functional_call, grad, vmap


class PrivateSGD:
    def __init__(self, model, lr, max_norm, noise):
        self.model, self.max_norm, self.noise = model, max_norm, noise
        self.opt = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.5)
        self.per_sample = vmap(grad(self._one), in_dims=(None, 0, 0))

    def _one(self, params, x, y):
        out = functional_call(self.model, params, (x.unsqueeze(0),))
        return nn.functional.cross_entropy(out, y.unsqueeze(0))

    def update(self, x, y):
        params = {k: p.detach() for k, p in self.model.named_parameters()}
        grads = self.per_sample(params, x, y)
        norms = torch.stack([g.flatten(1).norm(dim=1) for g in grads.values()]).norm(dim=0)
        factor = (self.max_norm / (norms + 1e-6)).clamp(max=1.0)
        for name, p in self.model.named_parameters():
            g = torch.einsum("n,n...->...", factor, grads[name])
            g = g + self.noise * self.max_norm * torch.randn_like(g)
            p.grad = g / len(x)
        self.opt.step()
        self.opt.zero_grad()


torch.manual_seed(28)
centres = torch.randn(4, 12)
labels = torch.randint(0, 4, (800,))
inputs = centres[labels] + 0.7 * torch.randn(800, 12)
model = nn.Sequential(nn.Linear(12, 24), nn.Tanh(), nn.Linear(24, 4))
trainer = PrivateSGD(model, lr=0.4, max_norm=1.0, noise=0.3)
for epoch in range(6):
    for idx in torch.randperm(800).split(80):
        trainer.update(inputs[idx], labels[idx])
    with torch.no_grad():
        out = model(inputs)
        print(f"epoch {epoch} loss {nn.functional.cross_entropy(out, labels):.3f} acc {(out.argmax(1) == labels).float().mean():.3f}")
