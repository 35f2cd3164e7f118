import torch
from torch import nn, optim

from proxies import ProxyHead

torch.manual_seed(4)

CLASSES, WIDTH = 6, 16
means = torch.randn(CLASSES, WIDTH)
ids = torch.randint(0, CLASSES, (540,))
embeddings = means[ids] + 0.5 * torch.randn(540, WIDTH)   # from a fixed, pretrained extractor

head = ProxyHead(CLASSES, WIDTH)
optimizer = optim.Adam(head.parameters(), lr=0.03)
loss_fn = nn.CrossEntropyLoss()

for epoch in range(10):
    perm = torch.randperm(len(ids))
    seen, right, total = 0, 0, 0.0
    for start in range(0, len(perm), 60):
        pick = perm[start:start + 60]
        logits = head(embeddings[pick])
        loss = loss_fn(logits, ids[pick])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(pick)
        right += (logits.argmax(1) == ids[pick]).sum().item()
        seen += len(pick)
    print(f"epoch {epoch + 1}: loss {total / seen:.3f} recall {right / seen:.3f}")
