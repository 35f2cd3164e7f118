import torch
import torch.nn as nn

PAD, MASK, FIRST, VALUES = 0, 1, 2, 13
VOCAB = FIRST + VALUES


def sentences(n, length=16):
    start = torch.randint(0, VALUES, (n, 1))
    stride = torch.randint(1, 4, (n, 1))
    return FIRST + (start + stride * torch.arange(length)) % VALUES


def mask_tokens(tokens, prob=0.15):
    inputs, labels = tokens.clone(), tokens.clone()
    chosen = torch.rand(tokens.shape) < prob
    labels[~chosen] = -100
    kind = torch.rand(tokens.shape)
    inputs[chosen & (kind < 0.8)] = MASK
    swap = chosen & (kind >= 0.8) & (kind < 0.9)
    inputs[swap] = torch.randint(FIRST, VOCAB, (int(swap.sum()),))
    return inputs, labels


class TinyBert(nn.Module):
    def __init__(self, d=48):
        super().__init__()
        self.tok = nn.Embedding(VOCAB, d, padding_idx=PAD)
        self.pos = nn.Embedding(16, d)
        layer = nn.TransformerEncoderLayer(d, 4, 96, dropout=0.0, batch_first=True, activation="gelu", norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(d)
        self.lm_head = nn.Linear(d, VOCAB)

    def forward(self, ids):
        h = self.tok(ids) + self.pos(torch.arange(ids.size(1)))
        return self.lm_head(self.norm(self.encoder(h)))


torch.manual_seed(12)
model = TinyBert()
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=5e-3, total_steps=200)
criterion = nn.CrossEntropyLoss()
for step in range(200):
    inputs, labels = mask_tokens(sentences(48))
    logits = model(inputs)
    loss = criterion(logits.view(-1, VOCAB), labels.view(-1))
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    scheduler.step()
    if step % 25 == 24:
        keep = labels != -100
        acc = (logits.argmax(-1)[keep] == labels[keep]).float().mean().item()
        print(f"step {step + 1} loss {loss.item():.3f} masked accuracy {acc:.3f}")
