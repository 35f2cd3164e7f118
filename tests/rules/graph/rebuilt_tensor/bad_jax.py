import jax
import jax.numpy as jnp
import numpy as np
import optax


def weighted_error(params):
    prediction = rooms @ params["w"] + params["b"]
    error = np.asarray(prediction) - rent
    return jnp.mean(weights * error**2)


rng = np.random.default_rng(0)
rooms = rng.normal(size=(100, 3)).astype(np.float32)
rent = rooms.sum(axis=1)
weights = np.linspace(0.5, 1.5, 100)
params = {"w": jnp.zeros(3), "b": jnp.zeros(())}
optimizer = optax.sgd(0.1)
state = optimizer.init(params)

for step in range(30):
    loss, grads = jax.value_and_grad(weighted_error)(params)
    updates, state = optimizer.update(grads, state)
    params = optax.apply_updates(params, updates)
