import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

TAGS, PAD = 5, -1


class Tagger(nnx.Module):
    def __init__(self, rngs):
        self.embed = nnx.Embed(61, 16, rngs=rngs)
        self.mix = nnx.Conv(16, 32, kernel_size=(3,), rngs=rngs)
        self.out = nnx.Linear(32, TAGS, rngs=rngs)

    def __call__(self, words):
        return self.out(nnx.relu(self.mix(self.embed(words))))


def loss_fn(model, words, tags):
    mask = tags != PAD
    nll = optax.softmax_cross_entropy_with_integer_labels(model(words), jnp.where(mask, tags, 0))
    return jnp.sum(nll * mask) / jnp.sum(mask)


@nnx.jit
def step(model, optimizer, words, tags):
    loss, grads = nnx.value_and_grad(loss_fn)(model, words, tags)
    optimizer.update(model, grads)
    return loss


rng = np.random.default_rng(4)
table = rng.integers(0, TAGS, 61)
words = rng.integers(1, 61, (320, 14))
lengths = rng.integers(3, 15, 320)
there = np.arange(14)[None] < lengths[:, None]
words, tags = np.where(there, words, 0), np.where(there, table[words], PAD)
model = Tagger(nnx.Rngs(4))
optimizer = nnx.Optimizer(model, optax.adam(1e-2), wrt=nnx.Param)
for epoch in range(8):
    for i in range(0, 320, 32):
        loss = step(model, optimizer, jnp.asarray(words[i:i + 32]), jnp.asarray(tags[i:i + 32]))
    right = np.mean((np.argmax(model(jnp.asarray(words)), -1) == tags)[there])
    print(f"epoch {epoch} loss {loss:.4f} right {right:.3f}")
