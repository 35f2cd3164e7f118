import torch
import torch.nn as nn


class CharLSTM(nn.Module):
    def __init__(self, vocab, emb=16, hid=48):
        super().__init__()
        self.encoder = nn.Embedding(vocab, emb)
        self.rnn = nn.LSTM(emb, hid)
        self.decoder = nn.Linear(hid, vocab)
        self.hid = hid

    def init_hidden(self, bsz):
        w = next(self.parameters())
        return w.new_zeros(1, bsz, self.hid), w.new_zeros(1, bsz, self.hid)

    def forward(self, x, h):
        out, h = self.rnn(self.encoder(x), h)
        return self.decoder(out), h


def repackage_hidden(h):
    if isinstance(h, torch.Tensor):
        return h.detach()
    return tuple(repackage_hidden(v) for v in h)


def batchify(text, bsz, stoi):
    ids = torch.tensor([stoi[c] for c in text])
    n = len(ids) // bsz
    return ids[:n * bsz].view(bsz, n).t().contiguous()


WORDS = ["tango", "vector", "plume", "garnet", "oxbow"]
gen = torch.Generator().manual_seed(26)
text = " ".join(WORDS[int(torch.randint(0, 5, (), generator=gen))] for _ in range(900))
stoi = {c: i for i, c in enumerate(sorted(set(text)))}
data = batchify(text, 16, stoi)
bptt = 20

torch.manual_seed(26)
model = CharLSTM(len(stoi))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
for epoch in range(5):
    hidden = model.init_hidden(16)
    total, count = 0.0, 0
    for i in range(0, data.size(0) - 1, bptt):
        span = min(bptt, data.size(0) - 1 - i)
        source, target = data[i:i + span], data[i + 1:i + 1 + span].reshape(-1)
        hidden = repackage_hidden(hidden)
        model.zero_grad()
        output, hidden = model(source, hidden)
        loss = criterion(output.view(-1, len(stoi)), target)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        optimizer.step()
        total += loss.item()
        count += 1
    print(f"epoch {epoch} loss per character {total / count:.3f}")
