import jax
import jax.numpy as jnp
import optax
from flax import linen as nn

keys = jax.random.split(jax.random.key(0), 2)
lengths = jax.random.randint(keys[0], (64, 1), 4, 13)
mask = (jnp.arange(12) < lengths).astype(jnp.float32)
text = jax.random.randint(keys[1], (64, 12), 1, 30) * mask.astype(int)
kinds = (text[:, 0] > 15).astype(int)


class Reader(nn.Module):
    @nn.compact
    def __call__(self, words, mask):
        read = nn.relu(nn.Dense(16)(nn.Embed(30, 16)(words)))
        mask = mask[:, :, None]
        return nn.Dense(2)((read * mask).sum(axis=1) / mask.sum(axis=1))


model = Reader()
params = model.init(jax.random.key(1), text, mask)
optimizer = optax.adam(0.01)
state = optimizer.init(params)


@jax.jit
def train_step(params, state, words, mask, kinds):
    def loss_fn(params):
        scores = model.apply(params, words, mask)
        return optax.softmax_cross_entropy_with_integer_labels(scores, kinds).mean()

    grads = jax.grad(loss_fn)(params)
    updates, state = optimizer.update(grads, state)
    return optax.apply_updates(params, updates), state


for step in range(30):
    params, state = train_step(params, state, text, mask, kinds)
