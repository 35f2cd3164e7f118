import torch
from transformers import BertConfig, BertForSequenceClassification

torch.manual_seed(0)
words = torch.randint(0, 50, (64, 8))
labels = (words[:, 0] > 24).long()
shape = BertConfig(vocab_size=50, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32)
model = BertForSequenceClassification(shape)
optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)

for step in range(20):
    optimizer.zero_grad()
    output = model(input_ids=words)
    output.loss.backward()
    optimizer.step()
