import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

COLUMNS = ["months", "calls", "plan", "bill", "region", "churned"]


def customer_table(n, seed):
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 5, generator=g)
    p = torch.sigmoid(4.0 * (0.8 * x[:, 1] - x[:, 0] + 0.5 * x[:, 3] * x[:, 2]))
    churned = (torch.rand(n, generator=g) < p).float()
    return torch.cat([x, churned.unsqueeze(1)], dim=1)


class ChurnData(Dataset):
    def __init__(self, table):
        self.table = table
        self.target = COLUMNS.index("churned")
        self.inputs = list(range(len(COLUMNS)))

    def __len__(self):
        return len(self.table)

    def __getitem__(self, i):
        row = self.table[i]
        return row[self.inputs], row[self.target]


class ChurnModel(nn.Module):
    def __init__(self, n_in):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(n_in, 24), nn.ReLU(), nn.Linear(24, 1))

    def forward(self, x):
        return self.layers(x).squeeze(-1)


def main():
    torch.manual_seed(60)
    train_set = ChurnData(customer_table(384, 60))
    fresh = customer_table(200, 61)
    outcome = fresh[:, -1].clone()
    fresh[:, -1] = 0.0                      # not known yet for new customers
    model = ChurnModel(len(train_set.inputs))
    opt = torch.optim.Adam(model.parameters(), lr=0.01)
    loss_fn = nn.BCEWithLogitsLoss()
    for epoch in range(8):
        for x, y in DataLoader(train_set, batch_size=48, shuffle=True):
            loss = loss_fn(model(x), y)
            opt.zero_grad()
            loss.backward()
            opt.step()
        with torch.no_grad():
            guess = model(fresh[:, train_set.inputs]) > 0
        print(f"{epoch} loss {loss.item():.4f} new customers {((guess > 0) == (outcome > 0)).float().mean():.3f}")


main()
