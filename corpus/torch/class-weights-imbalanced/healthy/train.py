import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(39)
shares = torch.tensor([0.9, 0.07, 0.03])
n = 1500
y = torch.multinomial(shares, n, replacement=True)
centre = torch.tensor([[0.0, 0, 0, 0], [1.8, 1.2, 0, 0], [0, 0, -2.0, 1.6]])
x = centre[y] + 0.8 * torch.randn(n, 4)
split = 1200
counts = torch.bincount(y[:split], minlength=3).float()
weights = counts.sum() / (3 * counts)
print("counts", counts.tolist(), "weights", [round(w, 2) for w in weights.tolist()])

model = nn.Sequential(nn.Linear(4, 24), nn.ReLU(), nn.Linear(24, 3))
criterion = nn.CrossEntropyLoss(weight=weights)
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
loader = DataLoader(TensorDataset(x[:split], y[:split]), batch_size=64, shuffle=True)


def balanced_accuracy():
    model.eval()
    with torch.no_grad():
        pred = model(x[split:]).argmax(1)
    truth = y[split:]
    model.train()
    return torch.stack([(pred[truth == c] == c).float().mean() for c in range(3)]).mean().item()


for epoch in range(10):
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.3f} balanced accuracy {balanced_accuracy():.3f}")
