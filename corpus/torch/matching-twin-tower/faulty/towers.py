import torch
import torch.nn.functional as F
from torch import nn


def mlp(a, b):
    return nn.Sequential(nn.Linear(a, 32), nn.ReLU(), nn.Linear(32, b))


class Matcher(nn.Module):
    def __init__(self, user_dim, item_dim, width=8):
        super().__init__()
        self.user_net = mlp(user_dim, width)
        self.item_net = mlp(item_dim, width)
        self.temperature = 0.2

    @torch.no_grad()
    def embed_users(self, users):
        return F.normalize(self.user_net(users), dim=-1)

    def embed_items(self, items):
        return F.normalize(self.item_net(items), dim=-1)

    def forward(self, users, items):
        u = self.embed_users(users)
        v = self.embed_items(items)
        return u @ v.t() / self.temperature
