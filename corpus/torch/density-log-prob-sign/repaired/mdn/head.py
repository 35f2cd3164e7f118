import torch
from torch import nn
from torch.distributions import Categorical, MixtureSameFamily, Normal


class MixtureHead(nn.Module):
    def __init__(self, n_in, parts=3):
        super().__init__()
        self.parts = parts
        self.params = nn.Linear(n_in, 3 * parts)

    def forward(self, h):
        weight, mean, width = self.params(h).split(self.parts, dim=-1)
        scale = nn.functional.softplus(width) + 0.05
        return MixtureSameFamily(Categorical(logits=weight), Normal(mean, scale))


def likelihood_loss(dist, y):
    return -dist.log_prob(y).mean()
