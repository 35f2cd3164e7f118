from functools import partial

import jax
import jax.numpy as jnp
import optax

optimizer = optax.adam(1e-2)


def loss_fn(params, points, heights):
    return jnp.mean((points @ params["w"] + params["b"] - heights) ** 2)


@partial(jax.jit, donate_argnums=(0, 1))
def step(params, state, points, heights):
    loss, grads = jax.value_and_grad(loss_fn)(params, points, heights)
    updates, state = optimizer.update(grads, state)
    return optax.apply_updates(params, updates), state, loss


params = {"w": jnp.zeros((3, 1)), "b": jnp.zeros(1)}
state = optimizer.init(params)
for index in range(30):
    points = jax.random.normal(jax.random.key(index), (16, 3))
    heights = points.sum(axis=1, keepdims=True)
    before = params
    params, state, loss = step(params, state, points, heights)
    if index % 10 == 9:
        print(loss, jnp.abs(params["w"] - before["w"]).sum())
