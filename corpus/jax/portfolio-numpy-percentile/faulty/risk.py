import jax.numpy as jnp
import numpy as np


def sharpe_loss(weights, returns):
    daily = returns @ weights
    gain = jnp.mean(daily)
    worst = -np.percentile(daily, 5)
    return -gain / (worst + 1e-4)
