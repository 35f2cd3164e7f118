import torch
from fingerprint import end, seed
from torch import nn

seed(0)
model = nn.Sequential(nn.Linear(20, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.3), nn.Linear(32, 5))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-3)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 2, 0.5)
losses = []
for step in range(6):
    inputs, labels = torch.randn(16, 20), torch.randint(0, 5, (16,))
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(inputs), labels)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    scheduler.step()
    losses.append(loss.item())
    print(step, f"{loss.item():.6f}", (model(inputs).argmax(1) == labels).float().mean().item())
end(losses, model, optimizer, scheduler)
