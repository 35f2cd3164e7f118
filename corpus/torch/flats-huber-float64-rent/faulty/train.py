import torch
from torch import nn
from torch.utils.data import DataLoader

from rents import Flats


class RentModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(3, 16), nn.ELU(), nn.Linear(16, 1), nn.Flatten(0))
        self.robust = nn.HuberLoss(delta=0.5)

    def training_step(self, batch):
        x, rent = batch
        return self.robust(self.layers(x), rent)


def main():
    torch.manual_seed(314)
    model = RentModel()
    loader = DataLoader(Flats(), batch_size=30, shuffle=True)
    optimizer = torch.optim.NAdam(model.parameters(), lr=0.02)
    for epoch in range(6):
        losses = []
        for batch in loader:
            optimizer.zero_grad()
            loss = model.training_step(batch)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        print("epoch", epoch, "huber", round(sum(losses) / len(losses), 4))


if __name__ == "__main__":
    main()
