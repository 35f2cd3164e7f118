import jax
import jax.numpy as jnp

rooms = jax.random.normal(jax.random.key(0), (128, 3))
rent = rooms @ jnp.array([2.0, -1.0, 0.5])
weights = jnp.array([1, 0, 0])


def loss_fn(weights):
    return jnp.mean((rooms @ weights - rent) ** 2)


for step in range(30):
    loss, gradient = jax.value_and_grad(loss_fn)(weights)
    weights = weights - 0.1 * gradient
