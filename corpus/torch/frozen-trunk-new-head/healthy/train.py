import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(11)

X = torch.randn(600, 20)
basis = torch.randn(20, 3)
latent = torch.tanh(X @ basis / 4)
signs = (latent > 0).long()
y_source = signs[:, 0] + 2 * signs[:, 1] + 4 * signs[:, 2]
y_target = (signs.sum(1) >= 2).long()


class Classifier(nn.Module):
    def __init__(self, n_out):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.BatchNorm1d(64), nn.Linear(64, 32), nn.ReLU())
        self.head = nn.Linear(32, n_out)

    def forward(self, x):
        return self.head(self.trunk(x))


def fit(net, optimizer, labels, steps, keep_eval=()):
    net.train()
    for m in keep_eval:
        m.eval()
    for step in range(steps):
        pick = torch.randint(0, 480, (60,))
        loss = F.cross_entropy(net(X[pick]), labels[pick])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    net.eval()
    with torch.no_grad():
        acc = (net(X[480:]).argmax(1) == labels[480:]).float().mean()
    print(f"loss {loss.item():.3f} test accuracy {acc.item():.3f}")


net = Classifier(8)
fit(net, torch.optim.Adam(net.parameters(), lr=5e-3), y_source, 120)

for p in net.trunk.parameters():
    p.requires_grad_(False)
net.head = nn.Linear(32, 2)
trainable = [p for p in net.parameters() if p.requires_grad]
print("training", sum(p.numel() for p in trainable), "of", sum(p.numel() for p in net.parameters()))
fit(net, torch.optim.SGD(trainable, lr=0.1, momentum=0.9), y_target, 120, keep_eval=[net.trunk])
