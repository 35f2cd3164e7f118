import torch
from torch import nn
import torch.nn.functional as F

from nets import student_net, teacher_net

N_IN, N_OUT = 20, 6


class Distiller(nn.Module):
    def __init__(self):
        super().__init__()
        self.teacher = teacher_net(N_IN, N_OUT)
        self.student = student_net(N_IN, N_OUT)

    def pretrain(self, x, y, steps):
        opt = torch.optim.Adam(self.teacher.parameters(), lr=0.01)
        for _ in range(steps):
            rows = torch.randint(0, len(x), (64,))
            loss = F.cross_entropy(self.teacher(x[rows]), y[rows])
            opt.zero_grad()
            loss.backward()
            opt.step()

    def forward(self, x):
        with torch.no_grad():
            soft = self.teacher(x)
        return F.mse_loss(self.student(x), soft)


def right(net, x, y):
    with torch.no_grad():
        return round((net(x).argmax(1) == y).float().mean().item(), 3)


def main():
    torch.manual_seed(50)
    y = torch.randint(0, N_OUT, (400,))
    x = 1.2 * torch.randn(N_OUT, N_IN)[y] + torch.randn(400, N_IN)
    d = Distiller()
    d.pretrain(x, y, 60)
    print("teacher before", right(d.teacher, x, y))
    opt = torch.optim.Adam(d.parameters(), lr=0.01, weight_decay=1e-4)
    for epoch in range(10):
        for rows in torch.randperm(400).split(40):
            loss = d(x[rows])
            opt.zero_grad()
            loss.backward()
            opt.step()
        print(f"epoch {epoch} matching loss {loss.item():.4f} student {right(d.student, x, y)} teacher {right(d.teacher, x, y)}")


main()
