import math

import torch
import torch.nn as nn
import torch.nn.functional as F


class CausalBlock(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(d, 3 * d)
        self.proj = nn.Linear(d, d)
        self.ff = nn.Sequential(nn.Linear(d, 2 * d), nn.GELU(), nn.Linear(2 * d, d))
        self.n1, self.n2 = nn.LayerNorm(d), nn.LayerNorm(d)

    def forward(self, x):
        b, t, d = x.shape
        q, k, v = self.qkv(self.n1(x)).view(b, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        a = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.proj(a.transpose(1, 2).reshape(b, t, d))
        return x + self.ff(self.n2(x))


class TiedLM(nn.Module):
    def __init__(self, vocab=20, d=40, length=12):
        super().__init__()
        self.wte = nn.Embedding(vocab, d)
        self.wpe = nn.Embedding(length, d)
        self.block = CausalBlock(d, 4)
        self.norm = nn.LayerNorm(d)
        self.lm_head = nn.Linear(d, vocab, bias=False)
        nn.init.normal_(self.wte.weight, std=0.1)
        self.lm_head.weight = self.wte.weight

    def forward(self, idx):
        x = self.wte(idx) * math.sqrt(self.wte.embedding_dim) + self.wpe.weight[:idx.size(1)]
        return self.lm_head(self.norm(self.block(x)))


def corpus(n, g):
    table = torch.randperm(20, generator=g)
    rows = [torch.randint(0, 20, (n,), generator=g)]
    for _ in range(12):
        jump = torch.rand(n, generator=g) < 0.05
        rows.append(torch.where(jump, torch.randint(0, 20, (n,), generator=g), table[rows[-1]]))
    return torch.stack(rows, 1)


def main():
    torch.manual_seed(33)
    data = corpus(640, torch.Generator().manual_seed(33))
    lm = TiedLM()
    print("parameters", sum(p.numel() for p in lm.parameters()))
    opt = torch.optim.AdamW(lm.parameters(), lr=4e-3)
    for epoch in range(8):
        total = 0.0
        for rows in data[torch.randperm(len(data))].split(64):
            logits = lm(rows[:, :-1])
            loss = F.cross_entropy(logits.flatten(0, 1), rows[:, 1:].flatten())
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() / 10
        print(f"epoch {epoch} loss {total:.3f}")


main()
