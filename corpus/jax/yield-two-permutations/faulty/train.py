import jax
import jax.numpy as jnp
import optax
from jax import random


def fields(key, n=400):
    k1, k2 = random.split(key)
    soil = random.normal(k1, (n, 5))
    tonnes = soil @ jnp.array([1.0, -2.0, 0.5, 0.0, 1.5]) + jnp.sin(2 * soil[:, 0]) + 0.1 * random.normal(k2, (n,))
    return soil, tonnes


def batches(key, x, y, size):
    kx, ky = random.split(key)
    xs = random.permutation(kx, x)
    ys = random.permutation(ky, y)
    for i in range(0, len(xs), size):
        yield xs[i:i + size], ys[i:i + size]


def forward(params, x):
    h = jax.nn.gelu(x @ params["w1"] + params["b1"])
    return (h @ params["w2"] + params["b2"])[:, 0]


def init(key):
    k1, k2 = random.split(key)
    return {"w1": 0.4 * random.normal(k1, (5, 32)), "b1": jnp.zeros(32), "w2": 0.2 * random.normal(k2, (32, 1)), "b2": jnp.zeros(1)}


opt = optax.adamw(5e-3, weight_decay=1e-4)


@jax.jit
def step(params, opt_state, x, y):
    loss, g = jax.value_and_grad(lambda p: jnp.mean((forward(p, x) - y) ** 2))(params)
    updates, opt_state = opt.update(g, opt_state, params)
    return optax.apply_updates(params, updates), opt_state, loss


key = random.PRNGKey(5)
key, kd, ki = random.split(key, 3)
soil, tonnes = fields(kd)
params = init(ki)
opt_state = opt.init(params)
for epoch in range(15):
    key, ke = random.split(key)
    total = 0.0
    for x, y in batches(ke, soil, tonnes, 40):
        params, opt_state, loss = step(params, opt_state, x, y)
        total += loss
    if epoch % 2 == 0:
        print(f"epoch {epoch} mse {total / 10:.3f}  (variance {tonnes.var():.3f})")
