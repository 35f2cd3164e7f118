import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from dialect import DialectNet

DIALECTS = 5


def speech(n, g):
    y = torch.randint(0, DIALECTS, (n,), generator=g)
    tone = torch.randn(DIALECTS, 8, 1, generator=g)
    return TensorDataset(0.3 * tone[y] + torch.randn(n, 8, 30, generator=g), y)


def main():
    torch.manual_seed(310)
    data = speech(400, torch.Generator().manual_seed(310))
    net = DialectNet(8, DIALECTS)
    opt = torch.optim.SGD(net.parameters(), lr=0.5, momentum=0.9)
    criterion = nn.NLLLoss()
    for epoch in range(8):
        for mfcc, y in DataLoader(data, 40, shuffle=True):
            loss = criterion(net.log_probs(mfcc), y)
            opt.zero_grad()
            loss.backward()
            opt.step()
        with torch.no_grad():
            mfcc, y = data.tensors
            scores = net(mfcc)
        print(f"epoch {epoch} nll {loss.item():.4f} right {(scores.argmax(1) == y).float().mean():.3f} "
              f"mean probability of a dialect {torch.sigmoid(scores).mean():.3f}")


main()
