import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

LOG_RUNTIME_LIMIT = 4.0   # log milliseconds


class JobTable(torch.utils.data.Dataset):
    columns = ("tile_m", "tile_n", "threads", "unroll", "vector")

    def __init__(self, rows=400, seed=8):
        rng = np.random.default_rng(seed)
        self.x = rng.integers(0, 5, (rows, len(self.columns))).astype(np.float32)
        self.runtime = self.simulate(self.x, rng)
        self.y = self.label(self.runtime)

    @staticmethod
    def simulate(x, rng):
        log_ms = 5.0 - 0.5 * x[:, 2] + 0.3 * x[:, 0] - 0.25 * x[:, 4] + rng.normal(0, 0.1, len(x))
        return np.exp(np.maximum(log_ms, 1.5))

    @staticmethod
    def label(runtime):
        return (runtime > LOG_RUNTIME_LIMIT).astype(np.int64)

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return (self.x[i] - 2.0) / 1.4, self.y[i]


class SlowJobClassifier(nn.Module):
    def __init__(self, n_in):
        super().__init__()
        self.fc1 = nn.Linear(n_in, 20)
        self.fc2 = nn.Linear(20, 2)

    def forward(self, x):
        return self.fc2(F.relu(self.fc1(x)))


def main():
    torch.manual_seed(8)
    table = JobTable()
    loader = torch.utils.data.DataLoader(table, batch_size=40, shuffle=True)
    clf = SlowJobClassifier(len(table.columns))
    opt = torch.optim.SGD(clf.parameters(), lr=0.2, momentum=0.9)
    for epoch in range(5):
        correct = 0
        for x, y in loader:
            out = clf(x)
            loss = F.cross_entropy(out, y)
            opt.zero_grad()
            loss.backward()
            opt.step()
            correct += (out.argmax(1) == y).sum().item()
        print(f"Epoch {epoch}  loss {loss.item():.4f}  train acc {correct / len(table):.3f}")
    truth = torch.from_numpy(np.log(table.runtime) > LOG_RUNTIME_LIMIT).long()
    x = torch.stack([torch.from_numpy(table[i][0]) for i in range(len(table))])
    print("share of jobs rightly sorted:", (clf(x).argmax(1) == truth).float().mean().item())


main()
