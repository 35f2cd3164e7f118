from flax import linen as nn


class Tagger(nn.Module):
    phones: int

    @nn.compact
    def __call__(self, feats):
        h = nn.Conv(32, (3,))(feats)
        h = nn.relu(h)
        return nn.Dense(self.phones)(h)
