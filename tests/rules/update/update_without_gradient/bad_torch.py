import torch
from torch import nn

torch.manual_seed(0)
points = torch.randn(256, 8)
labels = (points[:, 0] > 0).long()
model = nn.ModuleDict({"cats": nn.Linear(8, 2), "dogs": nn.Linear(8, 2)})
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=0.01)

for step in range(40):
    animal = "cats" if step < 1 else "dogs"
    chosen = torch.randint(0, 256, (32,))
    optimizer.zero_grad(set_to_none=False)
    loss = nn.functional.cross_entropy(model[animal](points[chosen]), labels[chosen])
    loss.backward()
    optimizer.step()
