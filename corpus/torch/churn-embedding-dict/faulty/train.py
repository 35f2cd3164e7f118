import torch
from torch import nn
from torch.utils.data import DataLoader

from data import CARDINALITY, Customers


class ChurnModel(nn.Module):
    def __init__(self, cardinality, width=2):
        super().__init__()
        self.tables = {}
        for column, size in cardinality.items():
            self.tables[column] = nn.Embedding(size, width)
        self.body = nn.Sequential(
            nn.Linear(width * len(cardinality) + 1, 16), nn.ReLU(), nn.Linear(16, 1)
        )

    def forward(self, cats, dense):
        parts = [self.tables[c](v) for c, v in cats.items()]
        return self.body(torch.cat(parts + [dense], dim=1)).squeeze(1)


def epoch_loop(model, loader, optimizer=None):
    bce = nn.BCEWithLogitsLoss()
    total, right = 0.0, 0
    with torch.set_grad_enabled(optimizer is not None):
        for cats, dense, left in loader:
            logit = model(cats, dense)
            loss = bce(logit, left)
            if optimizer is not None:
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            total += loss.item() * len(left)
            right += ((logit > 0).float() == left).sum().item()
    return total / len(loader.dataset), right / len(loader.dataset)


def main():
    torch.manual_seed(0)
    train_dl = DataLoader(Customers(800, 1), batch_size=80, shuffle=True)
    valid_dl = DataLoader(Customers(300, 2), batch_size=150)
    model = ChurnModel(CARDINALITY)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.02)
    for epoch in range(8):
        tl, ta = epoch_loop(model, train_dl, optimizer)
        vl, va = epoch_loop(model, valid_dl)
        print(f"{epoch}: train {tl:.3f}/{ta:.3f}  valid {vl:.3f}/{va:.3f}")


if __name__ == "__main__":
    main()
