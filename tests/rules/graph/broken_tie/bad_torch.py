import torch
from torch import nn


class Language(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(30, 16)
        self.out = nn.Linear(16, 30, bias=False)
        self.out.weight = self.embedding.weight

    def forward(self, text):
        return self.out(self.embedding(text))


torch.manual_seed(0)
text = torch.randint(0, 30, (64, 10))
following = (text + 1) % 30
model = Language()
saved = {name: tensor.clone() for name, tensor in model.state_dict().items()}
model.load_state_dict(saved, assign=True)
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

for step in range(30):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(text).flatten(0, 1), following.flatten())
    loss.backward()
    optimizer.step()
