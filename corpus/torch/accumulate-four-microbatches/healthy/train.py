import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

CFG = dict(hidden=48, micro=16, accumulate=4, epochs=10, lr=0.15, seed=1234)


class Loop:
    def __init__(self, model, loader, cfg):
        self.model, self.loader, self.cfg = model, loader, cfg
        self.opt = torch.optim.SGD(model.parameters(), lr=cfg["lr"], momentum=0.9)
        self.criterion = nn.CrossEntropyLoss()

    def epoch(self):
        k = self.cfg["accumulate"]
        running, seen, right = 0.0, 0, 0
        self.opt.zero_grad()
        for i, (xb, yb) in enumerate(self.loader):
            logits = self.model(xb)
            loss = self.criterion(logits, yb)
            (loss / k).backward()
            if (i + 1) % k == 0 or i + 1 == len(self.loader):
                self.opt.step()
                self.opt.zero_grad()
            running += loss.item() * len(yb)
            right += (logits.argmax(1) == yb).sum().item()
            seen += len(yb)
        return running / seen, right / seen


def build_data(cfg):
    g = torch.Generator().manual_seed(cfg["seed"])
    x = torch.randn(480, 12, generator=g)
    w = torch.randn(12, 5, generator=g)
    y = (x @ w + 0.2 * torch.randn(480, 5, generator=g)).argmax(1)
    return TensorDataset(x, y)


if __name__ == "__main__":
    torch.manual_seed(CFG["seed"])
    loop = Loop(
        nn.Sequential(nn.Linear(12, CFG["hidden"]), nn.Tanh(), nn.Linear(CFG["hidden"], 5)),
        DataLoader(build_data(CFG), batch_size=CFG["micro"], shuffle=True),
        CFG,
    )
    for e in range(CFG["epochs"]):
        print("epoch %d loss %.3f acc %.3f" % (e, *loop.epoch()))
