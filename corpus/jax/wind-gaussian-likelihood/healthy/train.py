import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn
from jax.scipy.stats import norm


class WindNet(nn.Module):
    @nn.compact
    def __call__(self, x):
        h = nn.tanh(nn.Dense(32)(x))
        mean = nn.Dense(1)(h)
        width = nn.softplus(nn.Dense(1)(h)) + 1e-3
        return mean[:, 0], width[:, 0]


def negative_log_density(params, x, speed):
    mean, width = net.apply(params, x)
    return -norm.logpdf(speed, mean, width).mean()


rng = np.random.default_rng(6)
x = rng.uniform(-1, 1, (500, 3)).astype(np.float32)
noise = 0.02 + 0.1 * (x[:, 2] > 0)
speed = (np.sin(2 * x[:, 0]) * x[:, 1] + noise * rng.normal(size=500)).astype(np.float32)
net = WindNet()
params = net.init(jax.random.PRNGKey(6), x[:1])
tx = optax.adam(5e-3)
opt_state = tx.init(params)
for epoch in range(6):
    for i in range(0, 500, 50):
        loss, grads = jax.value_and_grad(negative_log_density)(params, x[i:i + 50], speed[i:i + 50])
        updates, opt_state = tx.update(grads, opt_state, params)
        params = optax.apply_updates(params, updates)
    print(f"epoch {epoch} loss {loss:.4f}")
