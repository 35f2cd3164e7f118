import torch
from torch.utils.data import DataLoader, TensorDataset


def measure(scores, truth):
    order = scores.argsort()
    ranks = torch.empty_like(scores)
    ranks[order] = torch.arange(1, len(scores) + 1, dtype=scores.dtype)
    pos = truth.bool()
    n1, n0 = pos.sum(), (~pos).sum()
    return ((ranks[pos].sum() - n1 * (n1 + 1) / 2) / (n1 * n0)).item()


torch.manual_seed(62)
x = torch.randn(450, 7)
margin = x @ torch.tensor([1.5, -1.0, 0.8, 0.0, 0.0, 0.5, 0.0]) - 1.9
y = (margin + 0.1 * torch.randn(450) > 0).float()
print("positives", y.mean().item())
train = DataLoader(TensorDataset(x[:350], y[:350]), batch_size=3, shuffle=True)

net = torch.nn.Sequential(torch.nn.Linear(7, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
criterion = torch.nn.BCEWithLogitsLoss()
opt = torch.optim.SGD(net.parameters(), lr=0.05)
for epoch in range(5):
    running = 0.0
    for features, target in train:
        opt.zero_grad()
        loss = criterion(net(features).squeeze(1), target)
        loss.backward()
        opt.step()
        running += loss.item() * len(target)
    with torch.no_grad():
        s = net(x[350:]).squeeze(1)
    print(f"epoch {epoch} loss {running / 350:.4f} AUC {measure(s, y[350:]):.3f}")
