import torch
import torch.nn as nn


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer1 = nn.Sequential(nn.Linear(14, 48), nn.ReLU())
        self.layer2 = nn.Sequential(nn.Linear(48, 48), nn.ReLU())
        self.layer3 = nn.Sequential(nn.Linear(48, 24), nn.ReLU())

    def forward(self, x):
        return self.layer3(self.layer2(self.layer1(x)))


def thaw(module):
    for p in module.parameters():
        p.requires_grad = True


def make_optimizer(net, lr):
    return torch.optim.Adam([p for p in net.parameters() if p.requires_grad], lr=lr)


STAGES = [("classifier", None, 1e-2), ("+ layer3", "layer3", 5e-3), ("+ layer2", "layer2", 3e-3), ("+ layer1", "layer1", 2e-3)]

torch.manual_seed(57)
x = torch.randn(600, 14)
hidden = torch.tanh(x @ torch.randn(14, 6) / 3)
source = (hidden @ torch.randn(6, 5)).argmax(1)
target = (hidden.abs() @ torch.randn(6, 3)).argmax(1)

encoder, old_head = Encoder(), nn.Linear(24, 5)
pre = torch.optim.Adam([*encoder.parameters(), *old_head.parameters()], lr=5e-3)
for _ in range(100):
    i = torch.randint(0, 600, (60,))
    pre.zero_grad()
    nn.functional.cross_entropy(old_head(encoder(x[i])), source[i]).backward()
    pre.step()

net = nn.Sequential(encoder, nn.Linear(24, 3))
for p in encoder.parameters():
    p.requires_grad = False
for title, layer, lr in STAGES:
    if layer:
        thaw(getattr(encoder, layer))
    optimizer = make_optimizer(net, lr)
    for _ in range(80):
        i = torch.randint(0, 600, (60,))
        loss = nn.functional.cross_entropy(net(x[i]), target[i])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    acc = (net(x).argmax(1) == target).float().mean().item()
    print(f"{title:12s} loss {loss.item():.3f} accuracy {acc:.3f} tensors trained {sum(p.requires_grad for p in net.parameters())}")
