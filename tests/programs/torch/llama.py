import torch
from fingerprint import end, seed
from transformers import LlamaConfig, LlamaForCausalLM

seed(2)
config = LlamaConfig(vocab_size=50, hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2, max_position_embeddings=32)
model = LlamaForCausalLM(config)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
losses = []
for step in range(4):
    ids = torch.randint(0, 50, (2, 9))
    output = model(input_ids=ids, labels=ids)
    output.loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    losses.append(output.loss.item())
    print(step, losses[-1])
model.eval()
with torch.no_grad():
    print(model.generate(torch.tensor([[1, 2, 3]]), max_new_tokens=4, do_sample=True, pad_token_id=0).tolist())
end(losses, model, optimizer)
