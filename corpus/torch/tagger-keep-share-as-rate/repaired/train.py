import torch
import torch.nn.functional as F
from torch import nn

KEEP = 0.05


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(30, 96)
        self.second = nn.Linear(96, 96)
        self.last = nn.Linear(96, 6)

    def forward(self, x):
        x = F.dropout(F.relu(self.first(x)), KEEP, training=self.training)
        x = F.dropout(F.relu(self.second(x)), KEEP, training=self.training)
        return self.last(x)


torch.manual_seed(12)
topics = torch.randn(6, 30)
tag = torch.randint(0, 6, (900,))
text = topics[tag] + 1.5 * torch.randn(900, 30)
net = Tagger()
opt = torch.optim.Adam(net.parameters(), lr=5e-4)
for epoch in range(4):
    for rows in torch.randperm(900).split(60):
        loss = F.cross_entropy(net(text[rows]), tag[rows])
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(epoch, round(loss.item(), 4))
