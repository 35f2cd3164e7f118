import torch
import torch.nn as nn
from torch.distributions import Normal


class PointMass:
    """Push a point towards the origin; 24 copies run in step."""

    def __init__(self, n=24):
        self.n = n

    def reset(self):
        self.x = torch.rand(self.n, 1) * 4 - 2
        self.v = torch.zeros(self.n, 1)
        return torch.cat([self.x, self.v], 1)

    def step(self, a):
        a = a.clamp(-1, 1)
        self.v = 0.7 * self.v + 0.4 * a
        self.x = self.x + self.v
        reward = -(self.x ** 2).squeeze(1) - 0.02 * (a ** 2).squeeze(1)
        return torch.cat([self.x, self.v], 1), reward * 0.2


class Agent(nn.Module):
    def __init__(self):
        super().__init__()
        self.mu = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 1))
        self.logstd = nn.Parameter(torch.full((1,), -0.5))
        self.value = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 1))

    def dist(self, o):
        return Normal(self.mu(o), self.logstd.exp())


@torch.no_grad()
def rollout(env, agent, horizon=12, gamma=0.9):
    obs, acts, logps, rews, vals = [], [], [], [], []
    o = env.reset()
    for _ in range(horizon):
        d = agent.dist(o)
        a = d.sample()
        obs.append(o), acts.append(a), logps.append(d.log_prob(a).squeeze(1)), vals.append(agent.value(o).squeeze(1))
        o, r = env.step(a)
        rews.append(r)
    ret, returns = torch.zeros(env.n), []
    for r in reversed(rews):
        ret = r + gamma * ret
        returns.insert(0, ret)
    returns = torch.cat(returns)
    adv = returns - torch.cat(vals)
    adv = (adv - adv.mean()) / (adv.std() + 1e-8)
    return torch.cat(obs), torch.cat(acts), torch.cat(logps), returns, adv, torch.stack(rews).sum(0).mean().item()


torch.manual_seed(6)
env, agent = PointMass(), Agent()
opt = torch.optim.Adam(agent.parameters(), lr=6e-3)
for it in range(25):
    obs, acts, old, returns, adv, score = rollout(env, agent)
    for epoch in range(4):
        for idx in torch.randperm(len(obs)).split(96):
            logp = agent.dist(obs[idx]).log_prob(acts[idx]).squeeze(1)
            ratio = (logp - old[idx]).exp()
            surrogate = torch.min(ratio * adv[idx], ratio.clamp(0.8, 1.2) * adv[idx])
            v_loss = (agent.value(obs[idx]).squeeze(1) - returns[idx]).pow(2).mean()
            loss = -surrogate.mean() + 0.5 * v_loss - 0.003 * agent.dist(obs[idx]).entropy().mean()
            opt.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(agent.parameters(), 0.5)
            opt.step()
    if it % 4 == 0:
        print(f"iteration {it} score {score:.2f} value loss {v_loss.item():.3f}")
