import argparse

import numpy as np
import torch
from torch import nn


def transactions(n, seed):
    rng = np.random.default_rng(seed)
    amount, hour, foreign = rng.exponential(1, n), rng.uniform(-1, 1, n), rng.integers(0, 2, n)
    fraud = (amount + 1.5 * foreign - hour > 2.2).astype(int)
    return np.stack([amount, hour, foreign], 1).astype("float32"), fraud


class FraudModel(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(3, hidden), nn.Tanh(), nn.Linear(hidden, 1))
        self.criterion = nn.BCEWithLogitsLoss()

    def forward(self, x, y=None):
        logit = self.net(x)[:, 0]
        if y is None:
            return logit
        return logit, self.criterion(logit, y)


def main(argv=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("--hidden", type=int, default=16)
    parser.add_argument("--steps", type=int, default=60)
    args = parser.parse_args(argv)
    torch.manual_seed(210)
    x, y = transactions(400, 210)
    x, y = torch.tensor(x), torch.tensor(y)
    model = FraudModel(args.hidden)
    opt = torch.optim.Adam(model.parameters(), lr=0.03)
    for step in range(args.steps):
        rows = torch.randint(0, len(x), (50,))
        _, loss = model(x[rows], y[rows])
        opt.zero_grad()
        loss.backward()
        opt.step()
        if step % 10 == 0:
            print(step, round(loss.item(), 4))
    print("accuracy", ((model(x) > 0) == (y > 0)).float().mean().item())


main()
