import jax
import jax.numpy as jnp
import optax
from flax import linen as nn


class Inside(nn.Module):
    @nn.compact
    def __call__(self, points):
        hidden = nn.Dense(32)(points)
        hidden = nn.Dense(16)(hidden)
        return nn.Dense(1)(hidden)


points = jax.random.uniform(jax.random.key(0), (512, 2), minval=-1, maxval=1)
inside = (jnp.linalg.norm(points, axis=1, keepdims=True) < 0.75).astype(jnp.float32)
model = Inside()
params = model.init(jax.random.key(1), points)
optimizer = optax.adam(0.01)
state = optimizer.init(params)


@jax.jit
def train_step(params, state, points, inside):
    def loss_fn(params):
        return optax.sigmoid_binary_cross_entropy(model.apply(params, points), inside).mean()

    loss, grads = jax.value_and_grad(loss_fn)(params)
    updates, state = optimizer.update(grads, state)
    return optax.apply_updates(params, updates), state, loss


for step in range(40):
    chosen = jax.random.randint(jax.random.key(step), (64,), 0, 512)
    params, state, loss = train_step(params, state, points[chosen], inside[chosen])
