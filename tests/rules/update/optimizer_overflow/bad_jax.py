import jax
import jax.numpy as jnp
import optax

rooms = jax.random.normal(jax.random.key(0), (128, 4))
rent = rooms[:, 0] - rooms[:, 1]
importance = 1e22
params = {"w": jnp.zeros(4), "b": jnp.zeros(())}
optimizer = optax.adam(0.1)
state = optimizer.init(params)


def loss_fn(params):
    return importance * jnp.mean(jnp.abs(rooms @ params["w"] + params["b"] - rent))


for step in range(40):
    loss, grads = jax.value_and_grad(loss_fn)(params)
    updates, state = optimizer.update(grads, state)
    params = optax.apply_updates(params, updates)
