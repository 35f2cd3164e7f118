import sys

import torch
from fingerprint import end, seed
from torch import nn

seed(17)
model = nn.Sequential(nn.Linear(6, 16), nn.GELU(), nn.Linear(16, 3))
fast = torch.compile(model, backend="aot_eager")
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
losses = []
for step in range(5):
    if "--eager-first" in sys.argv:
        torch.compiler.set_stance("force_eager" if step < 2 else "default")
    rows, labels = torch.randn(8, 6), torch.randint(0, 3, (8,))
    loss = nn.functional.cross_entropy(fast(rows), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
end(losses, model, optimizer)
