import torch
from fingerprint import end, seed
from torch import nn
from torch.func import functional_call, grad, vmap

seed(12)
model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
losses = []


def single(parameters, row, label):
    return nn.functional.cross_entropy(functional_call(model, parameters, (row[None],)), label[None])


for step in range(4):
    rows, labels = torch.randn(6, 4), torch.randint(0, 3, (6,))
    held = {name: parameter.detach() for name, parameter in model.named_parameters()}
    each = vmap(grad(single), in_dims=(None, 0, 0))(held, rows, labels)
    norms = torch.stack([part.flatten(1).norm(dim=1) for part in each.values()]).norm(dim=0)
    optimizer.zero_grad()
    loss = functional_call(model, dict(model.named_parameters()), (rows,))
    loss = (nn.functional.cross_entropy(loss, labels, reduction="none") / (1 + norms)).mean()
    loss = loss + 0.01 * vmap(lambda row: model[0](row).square().sum())(rows).mean()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
end(losses, model, optimizer)
