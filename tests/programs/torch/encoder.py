import torch
from fingerprint import digest, end, seed
from torch import nn

seed(1)
layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.1, batch_first=True)
encoder = nn.TransformerEncoder(layer, 4)
head = nn.Linear(16, 3)
attention = nn.MultiheadAttention(16, 4, batch_first=True)
optimizer = torch.optim.AdamW([*encoder.parameters(), *head.parameters(), *attention.parameters()], lr=1e-3)
losses = []
for step in range(4):
    inputs, labels = torch.randn(4, 7, 16), torch.randint(0, 3, (4,))
    padding = torch.zeros(4, 7, dtype=torch.bool)
    padding[:, 5:] = True
    encoder.train()
    attention.train()
    hidden = encoder(inputs, src_key_padding_mask=padding)
    mixed, _ = attention(hidden, hidden, hidden, need_weights=False)
    loss = nn.functional.cross_entropy(head(mixed.mean(1)), labels)
    optimizer.zero_grad(set_to_none=False)
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
    encoder.eval()
    attention.eval()
    with torch.no_grad():
        plain = encoder(inputs)
        masked = encoder(inputs, src_key_padding_mask=padding)
        mixed, weights = attention(plain, plain, plain)
        single = layer.eval()(inputs)
    with torch.inference_mode():
        inferred = encoder(inputs)
    print(step, digest([plain, masked, mixed, weights, single, inferred]))
end(losses, encoder, head, attention, optimizer)
