import torch
import torch.nn as nn

PAD, SOS, EOS, BASE = 0, 1, 2, 3
LETTERS = 12


def reverse_task(n):
    lengths = torch.randint(3, 7, (n,))
    src = torch.full((n, 6), PAD)
    tgt = torch.full((n, 8), PAD)
    for i, k in enumerate(lengths.tolist()):
        s = torch.randint(BASE, BASE + LETTERS, (k,))
        src[i, :k] = s
        tgt[i, 0] = SOS
        tgt[i, 1:k + 1] = s.flip(0)
        tgt[i, k + 1] = EOS
    return src, tgt


class Seq2Seq(nn.Module):
    def __init__(self, d=48):
        super().__init__()
        vocab = BASE + LETTERS
        self.emb = nn.Embedding(vocab, d, padding_idx=PAD)
        self.pos = nn.Parameter(0.1 * torch.randn(8, d))
        self.tf = nn.Transformer(d, 4, 1, 1, 96, dropout=0.0, batch_first=True)
        self.out = nn.Linear(d, vocab)

    def forward(self, src, tgt_in):
        pad = src.eq(PAD)
        causal = torch.ones(tgt_in.size(1), tgt_in.size(1), dtype=torch.bool).triu(1)
        h = self.tf(
            self.emb(src) + self.pos[:src.size(1)], self.emb(tgt_in) + self.pos[:tgt_in.size(1)],
            tgt_mask=causal, src_key_padding_mask=pad, memory_key_padding_mask=pad,
        )
        return self.out(h)


def greedy(model, src):
    model.eval()
    ys = torch.full((len(src), 1), SOS)
    with torch.no_grad():
        for _ in range(7):
            ys = torch.cat([ys, model(src, ys)[:, -1].argmax(-1, keepdim=True)], 1)
    model.train()
    return ys


torch.manual_seed(58)
model = Seq2Seq()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
criterion = nn.CrossEntropyLoss(ignore_index=PAD)
for step in range(220):
    src, tgt = reverse_task(48)
    logits = model(src, tgt[:, :-1])
    loss = criterion(logits.reshape(-1, logits.size(-1)), tgt[:, 1:].reshape(-1))
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    if step % 40 == 39 or step == 219:
        src, tgt = reverse_task(64)
        hyp = greedy(model, src)
        ok = tgt.ne(PAD)
        print(f"step {step + 1} loss {loss.item():.3f} token accuracy {(hyp[ok] == tgt[ok]).float().mean():.3f}")
