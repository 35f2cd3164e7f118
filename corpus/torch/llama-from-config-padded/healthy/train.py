import torch
from transformers import LlamaConfig, LlamaForCausalLM, get_cosine_schedule_with_warmup, set_seed

set_seed(9)
PAD, BOS, EOS = 0, 1, 2
config = LlamaConfig(
    vocab_size=24, hidden_size=48, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=2, max_position_embeddings=32, pad_token_id=PAD, bos_token_id=BOS, eos_token_id=EOS,
)
model = LlamaForCausalLM(config)


def phrase():
    """letters in a fixed rhythm, of any length"""
    first, stride, k = (int(torch.randint(a, b, ())) for a, b in ((0, 21), (1, 4), (6, 13)))
    letters = [3 + (first + stride * i) % 21 for i in range(k)]
    return [BOS] + letters + [EOS]


def collate(rows, width=14):
    ids = torch.full((len(rows), width), PAD)
    mask = torch.zeros(len(rows), width, dtype=torch.long)
    for i, r in enumerate(rows):
        ids[i, :len(r)] = torch.tensor(r)
        mask[i, :len(r)] = 1
    return dict(input_ids=ids, attention_mask=mask, labels=ids.masked_fill(mask == 0, -100))


steps = 110
opt = torch.optim.AdamW(model.parameters(), lr=6e-3, weight_decay=0.0)
sched = get_cosine_schedule_with_warmup(opt, 10, steps)
model.train()
for step in range(steps):
    out = model(**collate([phrase() for _ in range(32)]))
    out.loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    opt.step()
    sched.step()
    opt.zero_grad()
    if step % 10 == 0 or step == steps - 1:
        print(f"step {step} loss {out.loss.item():.3f}")
