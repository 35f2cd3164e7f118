import torch
from torch import nn

STATES = 11          # 0 and 10 are terminal, reward 1 on the right
torch.manual_seed(41)


class ValueNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Linear(STATES, 1, bias=False)
        nn.init.zeros_(self.table.weight)

    def forward(self, s):
        return self.table(nn.functional.one_hot(s, STATES).float()).squeeze(-1)


def rollouts(n, g):
    s = torch.randint(1, STATES - 1, (n,), generator=g)
    step = torch.randint(0, 2, (n,), generator=g) * 2 - 1
    nxt = s + step
    reward = (nxt == STATES - 1).float()
    done = ((nxt == 0) | (nxt == STATES - 1)).float()
    return s, reward, nxt, done


class TDLearner:
    def __init__(self, net, gamma=1.0, lr=1.0):
        self.net, self.gamma = net, gamma
        self.opt = torch.optim.SGD(net.parameters(), lr=lr)

    def learn(self, s, reward, nxt, done):
        value = self.net(s)
        target = reward + self.gamma * (1 - done) * self.net(nxt)
        loss = nn.functional.mse_loss(value, target)
        self.opt.zero_grad()
        loss.backward()
        self.opt.step()
        return loss.item()


g = torch.Generator().manual_seed(41)
learner = TDLearner(ValueNet())
for update in range(400):
    loss = learner.learn(*rollouts(64, g))
    if update % 80 == 0:
        print(update, round(loss, 4))
truth = torch.arange(STATES) / (STATES - 1)
with torch.no_grad():
    estimate = learner.net(torch.arange(STATES))
print("estimates", [round(v, 2) for v in estimate[1:-1].tolist()])
print("rms error", (estimate - truth)[1:-1].pow(2).mean().sqrt().item())
