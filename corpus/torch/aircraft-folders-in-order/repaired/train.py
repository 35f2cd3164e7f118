import torch
from torch import nn

from loaders import training_loader

CLASSES = 6
dataloader_params = {"batch_size": 32, "shuffle": True}
train_params = {"max_epochs": 4, "initial_lr": 0.05, "momentum": 0.9}


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3, padding=1)
        self.fc = nn.Linear(8 * 6 * 6, CLASSES)

    def forward(self, x):
        x = nn.functional.max_pool2d(torch.relu(self.conv(x)), 2)
        return self.fc(x.flatten(1))


def run():
    torch.manual_seed(100)
    loader = training_loader(CLASSES, 64, dataloader_params)
    net = Net()
    opt = torch.optim.SGD(net.parameters(), lr=train_params["initial_lr"], momentum=train_params["momentum"])
    for epoch in range(train_params["max_epochs"]):
        for img, lab in loader:
            opt.zero_grad()
            loss = nn.functional.cross_entropy(net(img), lab)
            loss.backward()
            opt.step()
        with torch.no_grad():
            acc = sum((net(i).argmax(1) == l).sum().item() for i, l in loader) / (64 * CLASSES)
        print(f"epoch {epoch} last loss {loss.item():.4f} accuracy {acc:.3f}")


run()
