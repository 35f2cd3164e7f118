import torch
from torch import nn

from simulator import Pendulum


class Surrogate(nn.Module):
    def __init__(self, width=48):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, 1))

    def forward(self, start):
        return self.net(start)


class Runner:
    def __init__(self):
        torch.manual_seed(130)
        self.world = Pendulum(seed=130)
        self.model = Surrogate()
        self.opt = torch.optim.AdamW(self.model.parameters(), lr=0.01)
        self.sched = torch.optim.lr_scheduler.OneCycleLR(self.opt, max_lr=0.02, total_steps=250)

    def go(self, steps):
        for step in range(steps):
            start, end = self.world.batch(8)
            loss = nn.functional.mse_loss(self.model(start), end)
            self.opt.zero_grad()
            loss.backward()
            self.opt.step()
            self.sched.step()
            if step % 50 == 0:
                print(f"{step:4d} {loss.item():.6f}")

    def check(self):
        start, end = Pendulum(seed=999).batch(500)
        with torch.no_grad():
            mse = nn.functional.mse_loss(self.model(start), end)
        print(f"unseen starts: mse {mse.item():.5f}, variance {end.var().item():.5f}")


if __name__ == "__main__":
    runner = Runner()
    runner.go(250)
    runner.check()
