import jax
import jax.numpy as jnp
import optax
from flax import linen as nn

points = jax.random.normal(jax.random.key(0), (128, 4))
heights = points.sum(axis=1, keepdims=True)
model = nn.Dense(1)
params = model.init(jax.random.key(1), points)
optimizer = optax.sgd(0.1)
state = optimizer.init(params)


def loss_fn(weights):
    return jnp.mean((model.apply(weights, points) - heights) ** 2)


for step in range(30):
    loss, grads = jax.value_and_grad(loss_fn)(params)
    updates, state = optimizer.update(grads, state)
    params = optax.apply_updates(params, updates)
