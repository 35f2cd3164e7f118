import torch
from torch import nn
from torch.func import functional_call


class SineTasks:
    def __init__(self, seed):
        self.g = torch.Generator().manual_seed(seed)

    def sample(self, n_tasks, shots):
        amp = 0.5 + 1.5 * torch.rand(n_tasks, 1, 1, generator=self.g)
        ph = torch.rand(n_tasks, 1, 1, generator=self.g) * torch.pi
        x = torch.rand(n_tasks, 2 * shots, 1, generator=self.g) * 6 - 3
        y = amp * torch.sin(x + ph)
        return (x[:, :shots], y[:, :shots]), (x[:, shots:], y[:, shots:])


def adapt(model, params, x, y, inner_lr, steps):
    for _ in range(steps):
        loss = nn.functional.mse_loss(functional_call(model, params, (x,)), y)
        grads = torch.autograd.grad(loss, tuple(params.values()), create_graph=True)
        params = {k: p - inner_lr * g for (k, p), g in zip(params.items(), grads)}
    return params


def main():
    torch.manual_seed(90)
    model = nn.Sequential(nn.Linear(1, 40), nn.Tanh(), nn.Linear(40, 40), nn.Tanh(), nn.Linear(40, 1))
    meta = torch.optim.Adam(model.parameters(), lr=3e-3)
    tasks = SineTasks(90)
    smooth = None
    for it in range(220):
        (xs, ys), (xq, yq) = tasks.sample(6, 10)
        outer = 0.0
        for i in range(6):
            fast = adapt(model, dict(model.named_parameters()), xs[i], ys[i], inner_lr=0.05, steps=1)
            outer = outer + nn.functional.mse_loss(functional_call(model, fast, (xq[i],)), yq[i])
        outer = outer / 6
        meta.zero_grad()
        outer.backward()
        meta.step()
        smooth = outer.item() if smooth is None else 0.95 * smooth + 0.05 * outer.item()
        if it % 40 == 0 or it == 219:
            print(f"iteration {it} query loss after adaptation {smooth:.3f}")


main()
