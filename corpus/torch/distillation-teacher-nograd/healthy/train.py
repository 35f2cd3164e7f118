import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(14)


def spiral(n):
    y = torch.randint(0, 3, (n,))
    r = torch.rand(n)
    a = r * 3.5 + y * 2 * torch.pi / 3 + 0.12 * torch.randn(n)
    return torch.stack([r * a.cos(), r * a.sin()], 1) * 2, y


def mlp(width):
    return nn.Sequential(nn.Linear(2, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 3))


def evaluate(net, x, y):
    net.eval()
    with torch.no_grad():
        acc = (net(x).argmax(1) == y).float().mean().item()
    net.train()
    return acc


class DistillLoss(nn.Module):
    def __init__(self, T=2.0, alpha=0.7):
        super().__init__()
        self.T, self.alpha = T, alpha

    def forward(self, s, t, y):
        soft = F.kl_div(F.log_softmax(s / self.T, 1), F.softmax(t / self.T, 1), reduction="batchmean") * self.T ** 2
        return self.alpha * soft + (1 - self.alpha) * F.cross_entropy(s, y)


x, y = spiral(700)
xt, yt = spiral(300)

teacher = mlp(96)
opt = torch.optim.Adam(teacher.parameters(), lr=1e-2)
for _ in range(150):
    i = torch.randint(0, 700, (128,))
    opt.zero_grad()
    F.cross_entropy(teacher(x[i]), y[i]).backward()
    opt.step()
print("teacher", evaluate(teacher, xt, yt))

teacher.eval()
student = mlp(16)
criterion = DistillLoss()
opt = torch.optim.Adam(student.parameters(), lr=1e-2)
for step in range(250):
    i = torch.randint(0, 700, (128,))
    with torch.no_grad():
        wisdom = teacher(x[i])
    loss = criterion(student(x[i]), wisdom, y[i])
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 50 == 49:
        print(f"step {step + 1} loss {loss.item():.3f} student {evaluate(student, xt, yt):.3f}")
