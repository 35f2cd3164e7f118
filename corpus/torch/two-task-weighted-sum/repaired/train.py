import torch
from torch import nn
import torch.nn.functional as F


class TwoHeads(nn.Module):
    def __init__(self, n_in, n_kinds):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(n_in, 48), nn.Tanh())
        self.kind = nn.Linear(48, n_kinds)
        self.amount = nn.Linear(48, 1)

    def forward(self, x):
        h = self.trunk(x)
        return self.kind(h), self.amount(h).squeeze(-1)


class JointObjective(nn.Module):
    def __init__(self, weights=(1.0, 0.5)):
        super().__init__()
        self.register_buffer("weights", torch.tensor(weights))

    def forward(self, outputs, kinds, amounts):
        scores, values = outputs
        parts = torch.stack(
            [F.cross_entropy(scores, kinds), F.smooth_l1_loss(values, amounts)],
        )
        return (self.weights * parts).sum()


class Fitter:
    def __init__(self, model, objective, lr):
        self.model, self.objective = model, objective
        self.opt = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)

    def one_epoch(self, data, batch=40):
        x, kinds, amounts = data
        losses = []
        for part in torch.randperm(len(x)).split(batch):
            self.opt.zero_grad()
            loss = self.objective(self.model(x[part]), kinds[part], amounts[part])
            loss.backward()
            self.opt.step()
            losses.append(loss.item())
        return sum(losses) / len(losses)


def dataset(n=480):
    x = torch.randn(n, 10)
    kinds = (x @ torch.randn(10, 4)).argmax(1)
    amounts = x[:, 0] * 0.8 - x[:, 3]
    return x, kinds, amounts


if __name__ == "__main__":
    torch.manual_seed(21)
    data = dataset()
    fitter = Fitter(TwoHeads(10, 4), JointObjective(), lr=0.05)
    for e in range(10):
        print("epoch", e, "joint loss", round(fitter.one_epoch(data), 4))
    with torch.no_grad():
        acc = (fitter.model(data[0])[0].argmax(1) == data[1]).float().mean()
    print("train accuracy", round(acc.item(), 3))
