import torch
import torch.nn as nn
import torch.nn.functional as F


class TopKMoE(nn.Module):
    def __init__(self, d, experts=6, k=2, hidden=32):
        super().__init__()
        self.gate = nn.Linear(d, experts, bias=False)
        self.experts = nn.ModuleList(nn.Sequential(nn.Linear(d, hidden), nn.ReLU(), nn.Linear(hidden, d)) for _ in range(experts))
        self.k = k

    def forward(self, x):
        logits = self.gate(x)
        top, where = logits.topk(self.k, dim=-1)
        share = top.softmax(-1)
        out = torch.zeros_like(x)
        for e, expert in enumerate(self.experts):
            row, slot = (where == e).nonzero(as_tuple=True)
            if row.numel():
                out = out.index_add(0, row, expert(x[row]) * share[row, slot].unsqueeze(1))
        load = F.one_hot(where, len(self.experts)).float().sum(1).mean(0)
        self.balance = (load * logits.softmax(-1).mean(0)).sum() * len(self.experts) / self.k
        return out


class Net(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.inp = nn.Linear(10, 24)
        self.moe = TopKMoE(24)
        self.norm = nn.LayerNorm(24)
        self.out = nn.Linear(24, classes)

    def forward(self, x):
        h = torch.relu(self.inp(x))
        return self.out(self.norm(h + self.moe(h)))


torch.manual_seed(52)
x = torch.randn(700, 10)
part = (x[:, 0] > 0).long() * 2 + (x[:, 1] > 0).long()
mix = torch.randn(4, 10, 3)
y = torch.einsum("nd,ndc->nc", x, mix[part]).argmax(1)

net = Net(3)
opt = torch.optim.AdamW(net.parameters(), lr=6e-3)
for epoch in range(14):
    right = 0
    for idx in torch.randperm(700).split(70):
        logits = net(x[idx])
        loss = F.cross_entropy(logits, y[idx]) + 0.01 * net.moe.balance
        opt.zero_grad()
        loss.backward()
        opt.step()
        right += (logits.argmax(1) == y[idx]).sum().item()
    print(f"epoch {epoch} loss {loss.item():.3f} acc {right / 700:.3f} balance {net.moe.balance.item():.2f}")
