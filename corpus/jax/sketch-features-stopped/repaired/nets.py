import jax
from flax import linen as nn


class Encoder(nn.Module):
    width: int = 12

    @nn.compact
    def __call__(self, x):
        x = nn.tanh(nn.Dense(self.width)(x))
        return nn.tanh(nn.Dense(4)(x))


class SketchClassifier(nn.Module):
    classes: int

    def setup(self):
        self.encoder = Encoder()
        self.head = nn.Dense(self.classes)

    def __call__(self, x):
        features = self.encoder(x)
        return self.head(features)
