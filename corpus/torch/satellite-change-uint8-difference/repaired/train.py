import torch
from torch import nn
from torch.utils.data import DataLoader

from passes import Passes


class ChangeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 6, 3)
        self.fc = nn.Linear(6, 1)

    def forward(self, pair):
        return self.fc(torch.tanh(self.conv(pair)).mean(dim=(2, 3))).squeeze(1)


class Session:
    def __init__(self, epochs):
        torch.manual_seed(211)
        self.epochs = epochs
        self.data = Passes(240)
        self.net = ChangeNet()
        self.opt = torch.optim.Adam(self.net.parameters(), lr=0.02)

    def run(self):
        for epoch in range(self.epochs):
            total = 0.0
            for pair, change in DataLoader(self.data, 24, shuffle=True):
                loss = nn.functional.mse_loss(self.net(pair), change)
                self.opt.zero_grad()
                loss.backward()
                self.opt.step()
                total += loss.item()
            print(f"epoch {epoch} mse {total / 10:.4f}")
        self.report()

    def report(self):
        d = self.data
        true = (d.after.double() - d.before.double()).mean(dim=(1, 2)) / 128
        pair = torch.stack([d.before, d.after], 1).float() / 128 - 1
        with torch.no_grad():
            guess = self.net(pair)
        dark = true < -0.1
        print("darkenings recognised", (guess[dark] < 0).float().mean().item())


Session(8).run()
