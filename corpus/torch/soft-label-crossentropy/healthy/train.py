import torch
import torch.nn as nn


class VotesDataset(torch.utils.data.Dataset):
    """Seven annotators vote on every item; the label is the share of votes."""

    def __init__(self, n=480, seed=41, annotators=7):
        g = torch.Generator().manual_seed(seed)
        self.items = torch.randn(n, 11, generator=g)
        scores = 2 * self.items @ torch.randn(11, 4, generator=g)
        ballots = torch.multinomial(scores.softmax(1), annotators, replacement=True, generator=g)
        self.share = nn.functional.one_hot(ballots, 4).float().mean(1)

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return self.items[i], self.share[i]


def epoch_pass(net, loader, criterion, optimizer):
    net.train()
    total, agree = 0.0, 0
    for item, share in loader:
        out = net(item)
        loss = criterion(out, share)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(item)
        agree += (out.argmax(1) == share.argmax(1)).sum().item()
    return total / len(loader.dataset), agree / len(loader.dataset)


torch.manual_seed(41)
loader = torch.utils.data.DataLoader(VotesDataset(), batch_size=48, shuffle=True)
net = nn.Sequential(nn.Linear(11, 32), nn.ReLU(), nn.Linear(32, 4))
optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
criterion = nn.CrossEntropyLoss()
for e in range(10):
    print("epoch {} loss {:.3f} agreement {:.3f}".format(e, *epoch_pass(net, loader, criterion, optimizer)))
