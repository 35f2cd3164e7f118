import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax


def rates(params, shop):
    h = jax.nn.relu(shop @ params["w"] + params["b"])
    return jnp.maximum(h @ params["v"] + params["c"], 0.0)


def poisson_loss(params, shop, sold):
    rate = rates(params, shop)
    shifted = jnp.where(rate > 0, jnp.log(rate), 0.0)
    return jnp.mean(rate - sold * shifted)


@functools.partial(jax.jit, static_argnames=("tx",), donate_argnums=(0, 1))
def step(params, opt_state, shop, sold, *, tx):
    loss, grads = jax.value_and_grad(poisson_loss)(params, shop, sold)
    updates, opt_state = tx.update(grads, opt_state)
    return optax.apply_updates(params, updates), opt_state, loss


rng = np.random.default_rng(50)
shop = rng.normal(size=(500, 6)).astype(np.float32)
sold = rng.poisson(np.exp(0.5 + 0.8 * shop[:, 0] - 0.4 * shop[:, 1])).astype(np.float32)
k1, k2 = jax.random.split(jax.random.PRNGKey(50))
params = {"w": jax.random.normal(k1, (6, 24)) / 6 ** 0.5, "b": jnp.zeros(24), "v": jax.random.normal(k2, (24,)) / 24 ** 0.5, "c": jnp.asarray(0.5)}
tx = optax.adam(5e-3)
opt_state = tx.init(params)
for epoch in range(10):
    for i in range(0, 500, 50):
        params, opt_state, loss = step(params, opt_state, shop[i:i + 50], sold[i:i + 50], tx=tx)
        if epoch == 0 and i < 100:
            print("batch", i // 50, "loss", loss)
    if epoch % 3 == 0:
        print(f"epoch {epoch} loss {loss:.4f} mean rate {rates(params, shop).mean():.3f} (sold {sold.mean():.3f})")
