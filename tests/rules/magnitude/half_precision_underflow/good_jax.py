import jax
import jax.numpy as jnp
import optax
from flax import linen as nn


class Classifier(nn.Module):
    @nn.compact
    def __call__(self, points):
        hidden = nn.relu(nn.Dense(16, dtype=jnp.float16)(points))
        return nn.Dense(1, dtype=jnp.float16)(hidden)


@jax.jit
def train_step(params, state, points, labels):
    def loss_fn(params):
        return jnp.mean((model.apply(params, points).astype(jnp.float32) - labels) ** 2)

    loss, grads = jax.value_and_grad(loss_fn)(params)
    updates, state = optimizer.update(grads, state)
    return optax.apply_updates(params, updates), state, loss


points = jax.random.normal(jax.random.key(0), (256, 8))
labels = (points[:, :1] > 0).astype(jnp.float32)
model = Classifier()
params = model.init(jax.random.key(1), points)
optimizer = optax.adam(0.01)
state = optimizer.init(params)

for step in range(40):
    chosen = jax.random.randint(jax.random.key(step), (64,), 0, 256)
    params, state, loss = train_step(params, state, points[chosen], labels[chosen])
