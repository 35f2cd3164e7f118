import torch
from torch import nn

from branches import Orchard, clear

torch.manual_seed(26)
centres = torch.randn(3, 8)
kind = torch.randint(0, 3, (360,))
fruit = centres[kind] + 0.5 * torch.randn(360, 8)

net = Orchard()
optimizer = torch.optim.AdamW(net.parameters(), lr=0.02, weight_decay=0.5)


def epoch(tag):
    for k in torch.randperm(360).split(36):
        clear(optimizer)
        loss = nn.functional.cross_entropy(net(fruit[k]), kind[k])
        loss.backward()
        optimizer.step()
    print(f"{tag}: loss {loss.item():.3f}, old branch norm {net.old_branch.weight.detach().norm():.3f}")


for e in range(4):
    epoch(f"old {e}")
net.use_new = True
for e in range(6):
    epoch(f"new {e}")
