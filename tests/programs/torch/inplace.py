import torch
from fingerprint import end, seed
from torch import nn


class Memory(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(6, 6) * 0.3)
        self.scale = nn.Parameter(torch.ones(6))
        self.register_buffer("running", torch.zeros(6))
        self.register_buffer("bank", torch.zeros(4, 6))
        self.count = 0

    def forward(self, inputs):
        hidden = inputs @ self.weight
        hidden[:, 0] += 1
        hidden.mul_(self.scale)
        view = hidden[:, 2:4]
        view.relu_()
        hidden = hidden.clone()
        hidden.view(-1)[::5] *= 0.5
        with torch.no_grad():
            self.running.mul_(0.9).add_(hidden.mean(0), alpha=0.1)
            self.bank[self.count % 4] = hidden[0]
            self.weight.data.clamp_(-2, 2)
        self.count += 1
        total = torch.empty(6)
        torch.sum(self.bank, 0, out=total)
        return hidden - self.running.detach() + total * 0.01


seed(10)
model = Memory()
head = nn.Linear(6, 2)
optimizer = torch.optim.SGD([*model.parameters(), *head.parameters()], lr=0.1)
losses = []
for step in range(5):
    inputs, labels = torch.randn(5, 6), torch.randint(0, 2, (5,))
    inputs[0].zero_()
    loss = nn.functional.cross_entropy(head(model(inputs)), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    head.weight.data *= 0.99
    losses.append(loss.item())
end(losses, model, head, optimizer)
