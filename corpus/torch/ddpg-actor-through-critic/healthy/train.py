import copy
import random

import torch
import torch.nn as nn
import torch.nn.functional as F


class Thermostat:
    def reset(self):
        self.temp, self.t = random.uniform(-1.5, 1.5), 0
        return torch.tensor([self.temp])

    def step(self, heat):
        self.temp = 0.95 * self.temp + 0.5 * heat
        self.t += 1
        return torch.tensor([self.temp]), -abs(self.temp), self.t >= 10


def mlp(i, o, *end):
    return nn.Sequential(nn.Linear(i, 32), nn.ReLU(), nn.Linear(32, o), *end)


class DDPG:
    def __init__(self, tau=0.05, gamma=0.9):
        self.actor, self.critic = mlp(1, 1, nn.Tanh()), mlp(2, 1)
        self.actor_t, self.critic_t = copy.deepcopy(self.actor), copy.deepcopy(self.critic)
        self.opt_a = torch.optim.Adam(self.actor.parameters(), lr=3e-3)
        self.opt_c = torch.optim.Adam(self.critic.parameters(), lr=1e-2)
        self.tau, self.gamma = tau, gamma

    def act(self, s, noise):
        with torch.no_grad():
            return float((self.actor(s) + noise * torch.randn(1)).clamp(-1, 1))

    def update(self, batch):
        s, a, r, s2 = (torch.stack(v) for v in zip(*batch))
        with torch.no_grad():
            goal = r + self.gamma * self.critic_t(torch.cat([s2, self.actor_t(s2)], 1))
        critic_loss = F.mse_loss(self.critic(torch.cat([s, a], 1)), goal)
        self.opt_c.zero_grad()
        critic_loss.backward()
        self.opt_c.step()
        actor_loss = -self.critic(torch.cat([s, self.actor(s)], 1)).mean()
        self.opt_a.zero_grad()
        actor_loss.backward()
        self.opt_a.step()
        with torch.no_grad():
            for net, tgt in ((self.actor, self.actor_t), (self.critic, self.critic_t)):
                for p, q in zip(net.parameters(), tgt.parameters()):
                    q.lerp_(p, self.tau)
        return critic_loss.item()


random.seed(9)
torch.manual_seed(9)
env, agent, memory = Thermostat(), DDPG(), []
for episode in range(50):
    s, done, score = env.reset(), False, 0.0
    while not done:
        a = agent.act(s, 0.3)
        s2, r, done = env.step(a)
        memory.append((s, torch.tensor([a]), torch.tensor([r]), s2))
        score += r
        s = s2
        if len(memory) > 64:
            last = agent.update(random.sample(memory, 48))
    if episode % 10 == 9:
        print(f"episode {episode + 1} score {score:.2f} critic {last:.4f}")
