import jax
import jax.numpy as jnp
import numpy as np
import optax

table = np.random.default_rng(0).normal(size=(128, 5)).astype(np.float32)
table[:, 3] = 7.0
target = table[:, 0] - table[:, 1]
table = (table - table.mean(axis=0)) / (table.std(axis=0) + 1e-6)
params = {"w": jnp.zeros(5), "b": jnp.zeros(())}
optimizer = optax.sgd(0.1)
state = optimizer.init(params)


def loss_fn(params, table, target):
    return jnp.mean((table @ params["w"] + params["b"] - target) ** 2)


for step in range(30):
    loss, grads = jax.value_and_grad(loss_fn)(params, table, target)
    updates, state = optimizer.update(grads, state)
    params = optax.apply_updates(params, updates)
