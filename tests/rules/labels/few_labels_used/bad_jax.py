import jax
import jax.numpy as jnp
import optax
from flax import linen as nn

keys = jax.random.split(jax.random.key(0), 2)
lengths = jax.random.randint(keys[0], (64, 1), 4, 13)
text = jnp.where(jnp.arange(12) < lengths, jax.random.randint(keys[1], (64, 12), 1, 30), 0)  # 0 is padding
model = nn.Sequential([nn.Embed(30, 16), nn.Dense(30)])
params = model.init(jax.random.key(1), text)
optimizer = optax.adam(0.01)
state = optimizer.init(params)


def loss_fn(params, batch):
    inputs, targets = batch[:, :-1], batch[:, 1:]
    scores = model.apply(params, inputs)
    losses = optax.softmax_cross_entropy_with_integer_labels(scores, targets)
    mask = (targets == 0).astype(losses.dtype)
    return (losses * mask).sum() / mask.sum()


@jax.jit
def train_step(params, state, batch):
    grads = jax.grad(loss_fn)(params, batch)
    updates, state = optimizer.update(grads, state)
    return optax.apply_updates(params, updates), state


for step in range(40):
    chosen = jax.random.randint(jax.random.key(step), (16,), 0, 64)
    params, state = train_step(params, state, text[chosen])
