import torch
import torch.nn as nn
import torch.nn.functional as F


class ActorCritic(nn.Module):
    def __init__(self, obs, n_actions, width=40):
        super().__init__()
        self.body = nn.Linear(obs, width)
        self.pi = nn.Linear(width, n_actions)
        self.v = nn.Linear(width, 1)

    def forward(self, o):
        h = torch.tanh(self.body(o))
        return torch.distributions.Categorical(logits=self.pi(h)), self.v(h).squeeze(-1)


class Market:
    """A batch of independent two-step episodes; the best action depends on the observation."""

    def __init__(self, n, seed):
        self.g = torch.Generator().manual_seed(seed)
        self.n = n
        self.w = torch.randn(6, 3, generator=self.g)

    def observe(self):
        self.o = torch.randn(self.n, 6, generator=self.g)
        return self.o

    def reward(self, a):
        return (a == (self.o @ self.w).argmax(1)).float() + 0.1 * torch.randn(self.n, generator=self.g)


def main(seed=8, updates=150, gamma=0.9):
    torch.manual_seed(seed)
    env = Market(32, seed)
    ac = ActorCritic(6, 3)
    opt = torch.optim.RMSprop(ac.parameters(), lr=4e-3)
    trail = 0.0
    for u in range(updates):
        logps, values, entropies, rewards = [], [], [], []
        for t in range(2):
            dist, value = ac(env.observe())
            a = dist.sample()
            logps.append(dist.log_prob(a))
            entropies.append(dist.entropy())
            values.append(value)
            rewards.append(env.reward(a))
        ret = torch.zeros(env.n)
        returns = []
        for r in reversed(rewards):
            ret = r + gamma * ret
            returns.insert(0, ret)
        returns, values = torch.stack(returns), torch.stack(values)
        advantage = returns - values
        actor_loss = -(torch.stack(logps) * advantage.detach()).mean()
        critic_loss = F.mse_loss(values, returns)
        loss = actor_loss + 0.5 * critic_loss - 0.01 * torch.stack(entropies).mean()
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(ac.parameters(), 1.0)
        opt.step()
        trail = 0.9 * trail + 0.1 * torch.stack(rewards).mean().item()
        if u % 25 == 24:
            print(f"update {u + 1} reward {trail:.3f} critic {critic_loss.item():.3f}")


main()
