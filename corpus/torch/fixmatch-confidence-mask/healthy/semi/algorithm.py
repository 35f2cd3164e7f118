import torch
import torch.nn as nn
import torch.nn.functional as F


def weak(x):
    return x + 0.1 * torch.randn_like(x)


def strong(x):
    return F.dropout(x, 0.2) + 0.3 * torch.randn_like(x)


class FixMatch:
    def __init__(self, dim, classes, threshold):
        self.net = nn.Sequential(nn.Linear(dim, 48), nn.ReLU(), nn.Linear(48, classes))
        self.opt = torch.optim.SGD(self.net.parameters(), lr=0.05, momentum=0.9, nesterov=True)
        self.threshold = threshold

    def pseudo_labels(self, u):
        with torch.no_grad():
            confidence, guess = self.net(weak(u)).softmax(-1).max(-1)
        return guess, (confidence >= self.threshold).float()

    def step(self, x, y, u):
        sup = F.cross_entropy(self.net(weak(x)), y)
        guess, mask = self.pseudo_labels(u)
        unsup = (F.cross_entropy(self.net(strong(u)), guess, reduction="none") * mask).mean()
        loss = sup + unsup
        self.opt.zero_grad()
        loss.backward()
        self.opt.step()
        return {"supervised": sup.item(), "pseudo": unsup.item(), "used": mask.mean().item()}

    @torch.no_grad()
    def accuracy(self, x, y):
        return (self.net(x).argmax(-1) == y).float().mean().item()
