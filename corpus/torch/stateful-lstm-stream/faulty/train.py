import torch
from torch import nn


class Follower(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.rnn = nn.LSTM(1, hidden, batch_first=True)
        self.read = nn.Linear(hidden, 1)

    def forward(self, x, state):
        out, state = self.rnn(x, state)
        return self.read(out), state


torch.manual_seed(1)
model = Follower()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
criterion = nn.MSELoss()

CHUNK = 20
state = None
for step in range(160):
    t = torch.linspace(step * 2.7, (step + 1) * 2.7, CHUNK)
    x = torch.sin(t).view(1, CHUNK, 1)
    y = torch.cos(t).view(1, CHUNK, 1)
    prediction, state = model(x, state)
    loss = criterion(prediction, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 20 == 19:
        print("step", step + 1, "mse", round(loss.item(), 4))
