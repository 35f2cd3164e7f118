import jax
import jax.numpy as jnp
import optax
from flax import linen as nn

keys = jax.random.split(jax.random.key(0), 2)
starts = jax.random.randint(keys[0], (64, 1), 0, 12)
text = (starts + jax.random.randint(keys[1], (64, 1), 1, 5) * jnp.arange(17)) % 12


class Writer(nn.Module):
    @nn.compact
    def __call__(self, ids):
        letters = nn.Embed(12, 24)(ids)
        mask = nn.make_causal_mask(ids)
        return nn.Dense(12)(nn.SelfAttention(num_heads=2)(letters, mask=mask))


model = Writer()
params = model.init(jax.random.key(1), text)
optimizer = optax.adam(0.01)
state = optimizer.init(params)


def loss_fn(params, batch):
    inputs, targets = batch[:, :-1], batch[:, 1:]
    scores = model.apply(params, inputs)
    return optax.softmax_cross_entropy_with_integer_labels(scores, targets).mean()


@jax.jit
def train_step(params, state, batch):
    grads = jax.grad(loss_fn)(params, batch)
    updates, state = optimizer.update(grads, state)
    return optax.apply_updates(params, updates), state


for step in range(40):
    chosen = jax.random.randint(jax.random.key(step), (32,), 0, 64)
    params, state = train_step(params, state, text[chosen])
