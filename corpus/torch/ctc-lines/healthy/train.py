import torch
import torch.nn as nn

BLANK, SYMBOLS, T = 0, 4, 24
torch.manual_seed(29)
glyph = torch.randn(SYMBOLS + 1, 6)
glyph[BLANK] = 0


def line():
    n = int(torch.randint(2, 5, ()))
    text = torch.randint(1, SYMBOLS + 1, (n,))
    frames, cursor = torch.zeros(T, 6), 1
    for s in text.tolist():
        width = int(torch.randint(2, 4, ()))
        frames[cursor:cursor + width] = glyph[s]
        cursor += width + int(torch.randint(1, 3, ()))
    return frames + 0.2 * torch.randn(T, 6), text


def collate(batch):
    x = torch.stack([b[0] for b in batch])
    lens = torch.tensor([len(b[1]) for b in batch])
    y = nn.utils.rnn.pad_sequence([b[1] for b in batch], batch_first=True, padding_value=BLANK)
    return x, y, lens


class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(6, 24, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(48, SYMBOLS + 1)

    def forward(self, x):
        return self.fc(self.rnn(x)[0]).log_softmax(-1)


def decode(logp):
    out = []
    for row in logp.argmax(-1).tolist():
        seq, last = [], BLANK
        for s in row:
            if s != last and s != BLANK:
                seq.append(s)
            last = s
        out.append(seq)
    return out


data = [line() for _ in range(320)]
loader = torch.utils.data.DataLoader(data, batch_size=32, shuffle=True, collate_fn=collate)
model, ctc = Reader(), nn.CTCLoss(blank=BLANK)
opt = torch.optim.Adam(model.parameters(), lr=2e-2)
for epoch in range(10):
    exact = 0
    for x, y, lens in loader:
        logp = model(x)
        loss = ctc(logp.transpose(0, 1), y, torch.full((len(x),), T), lens)
        opt.zero_grad()
        loss.backward()
        opt.step()
        exact += sum(p == row[:n].tolist() for p, row, n in zip(decode(logp), y, lens))
    print(f"epoch {epoch} ctc {loss.item():.3f} exact {exact / len(data):.3f}")
