import jax
import jax.numpy as jnp
import numpy as np
import optax

rng = np.random.default_rng(0)
opened = 1_700_000_000
waits = rng.integers(20, 600, 256)
orders = jnp.asarray(waits[:, None] / 600 + 0.05 * rng.normal(size=(256, 3)))
served = jnp.asarray(opened + waits, dtype=jnp.float32)
params = {"w": jnp.zeros(3), "b": jnp.zeros(())}
optimizer = optax.adam(0.01)
state = optimizer.init(params)


def loss_fn(params, orders, served):
    waited = (served - opened) / 600
    return jnp.mean((orders @ params["w"] + params["b"] - waited) ** 2)


for step in range(40):
    chosen = rng.integers(0, 256, 64)
    loss, grads = jax.value_and_grad(loss_fn)(params, orders[chosen], served[chosen])
    updates, state = optimizer.update(grads, state)
    params = optax.apply_updates(params, updates)
