import torch
from torch.utils.data import DataLoader, TensorDataset, random_split

from models import JointNet

SETTINGS = dict(features=16, code=6, classes=4, epochs=8, batch=32, lr=5e-3)


def synthetic(n=320, seed=5):
    g = torch.Generator().manual_seed(seed)
    y = torch.randint(0, SETTINGS["classes"], (n,), generator=g)
    protos = torch.randn(SETTINGS["classes"], SETTINGS["features"], generator=g)
    x = protos[y] + 0.6 * torch.randn(n, SETTINGS["features"], generator=g)
    return TensorDataset(x, y)


def evaluate(net, loader):
    net.eval()
    good = total = 0
    with torch.no_grad():
        for x, y in loader:
            good += (net(x)[1].argmax(1) == y).sum().item()
            total += len(y)
    return good / total


def fit():
    torch.manual_seed(5)
    train_set, valid_set = random_split(synthetic(), [256, 64])
    train_loader = DataLoader(train_set, SETTINGS["batch"], shuffle=True)
    valid_loader = DataLoader(valid_set, 64)
    net = JointNet(SETTINGS["features"], SETTINGS["code"], SETTINGS["classes"])
    opt = torch.optim.AdamW(net.parameters(), lr=SETTINGS["lr"])
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, SETTINGS["epochs"])
    for epoch in range(SETTINGS["epochs"]):
        net.train()
        for x, y in train_loader:
            loss, parts = net.compute_loss(x, y)
            opt.zero_grad(set_to_none=True)
            loss.backward()
            opt.step()
        sched.step()
        print(epoch, {k: round(v, 3) for k, v in parts.items()}, "val acc", round(evaluate(net, valid_loader), 3))


if __name__ == "__main__":
    fit()
