import jax.numpy as jnp


def sharpe_loss(weights, returns):
    daily = returns @ weights
    gain = jnp.mean(daily)
    worst = -jnp.percentile(daily, 5)
    return -gain / (worst + 1e-4)
