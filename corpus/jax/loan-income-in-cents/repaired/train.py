import jax
import jax.numpy as jnp
import numpy as np


def applicants(rng, n):
    income_cents = rng.lognormal(15.3, 0.5, n)
    age = rng.uniform(18, 70, n)
    open_loans = rng.poisson(2, n)
    risk = -1.8 * (np.log(income_cents) - 15.3) + 0.6 * (open_loans - 2) - 0.02 * (age - 44)
    defaulted = (risk + 0.3 * rng.normal(size=n) > 0.2).astype(np.float32)
    x = np.stack([income_cents, age, open_loans], axis=1)
    x = ((x - x.mean(0)) / x.std(0)).astype(np.float32)
    return x, defaulted


def logits(params, x):
    h = jax.nn.relu(x @ params["w1"] + params["b1"])
    return h @ params["w2"] + params["b2"]


def loss_fn(params, x, y):
    z = logits(params, x)
    return jnp.mean(jnp.maximum(z, 0) - z * y + jnp.log1p(jnp.exp(-jnp.abs(z))))


@jax.jit
def step(params, velocity, x, y):
    loss, g = jax.value_and_grad(loss_fn)(params, x, y)
    velocity = jax.tree.map(lambda v, d: 0.9 * v - 0.05 * d, velocity, g)
    return jax.tree.map(jnp.add, params, velocity), velocity, loss


rng = np.random.default_rng(18)
x, y = applicants(rng, 600)
k1, k2 = jax.random.split(jax.random.key(18))
params = {"w1": jax.random.normal(k1, (3, 16)) / 3 ** 0.5, "b1": jnp.zeros(16), "w2": jax.random.normal(k2, (16,)) / 4, "b2": jnp.asarray(0.0)}
velocity = jax.tree.map(jnp.zeros_like, params)
for epoch in range(20):
    for i in range(0, 600, 50):
        params, velocity, loss = step(params, velocity, x[i:i + 50], y[i:i + 50])
    if epoch % 5 == 4:
        right = np.mean((np.asarray(logits(params, x)) > 0) == y)
        print(f"epoch {epoch} loss {loss:.3f} right {right:.3f} (majority {max(y.mean(), 1 - y.mean()):.3f})")
