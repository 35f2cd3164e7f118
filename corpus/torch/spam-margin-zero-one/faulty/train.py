import torch
from torch import nn

torch.manual_seed(206)


class SpamFilter(nn.Module):
    def __init__(self, vocab):
        super().__init__()
        self.linear = nn.Linear(vocab, 1)

    def forward(self, counts):
        return self.linear(counts).squeeze(1)


def mails(n, vocab=60):
    spam = torch.randint(0, 2, (n,))
    rate = torch.rand(2, vocab) + 0.1
    return torch.poisson(rate[spam]), spam


counts, spam = mails(500)
target = spam.float()
filt = SpamFilter(60)
margin = nn.SoftMarginLoss()
optimizer = torch.optim.SGD(filt.parameters(), lr=0.1)
scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
for epoch in range(6):
    for rows in torch.randperm(500).split(50):
        optimizer.zero_grad()
        loss = margin(filt(counts[rows]), target[rows])
        loss.backward()
        optimizer.step()
    scheduler.step()
    with torch.no_grad():
        acc = ((filt(counts) > 0).long() == spam).float().mean()
    print(f"epoch {epoch} margin loss {loss.item():.4f} right {acc:.3f}")
