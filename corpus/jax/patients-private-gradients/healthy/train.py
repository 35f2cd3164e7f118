import jax
import jax.numpy as jnp
import optax
from jax import random

CLIP, NOISE = 1.0, 0.4


def logit(params, x):
    return jnp.dot(jnp.tanh(x @ params["w"] + params["b"]), params["v"])


def one_loss(params, x, y):
    return optax.sigmoid_binary_cross_entropy(logit(params, x), y)


def clipped(params, x, y):
    grads = jax.grad(one_loss)(params, x, y)
    scale = jnp.minimum(1.0, CLIP / (optax.global_norm(grads) + 1e-9))
    return jax.tree.map(lambda g: g * scale, grads)


@jax.jit
def private_step(params, key, x, y, lr=0.5):
    per_example = jax.vmap(clipped, in_axes=(None, 0, 0))(params, x, y)
    leaves, tree = jax.tree.flatten(jax.tree.map(lambda g: g.sum(0), per_example))
    keys = random.split(key, len(leaves))
    noisy = [(g + NOISE * CLIP * random.normal(k, g.shape)) / x.shape[0] for g, k in zip(leaves, keys)]
    return jax.tree.map(lambda p, g: p - lr * g, params, tree.unflatten(noisy))


key = random.PRNGKey(1)
k1, k2, k3, key = random.split(key, 4)
x = random.normal(k1, (480, 6))
y = (x[:, 0] - x[:, 1] + 0.2 * random.normal(k2, (480,)) > 0).astype(jnp.float32)
params = {"w": random.normal(k3, (6, 12)) / 6 ** 0.5, "b": jnp.zeros(12), "v": jnp.ones(12) * 0.1}
for epoch in range(6):
    for i in range(0, 480, 48):
        key, sub = random.split(key)
        params = private_step(params, sub, x[i:i + 48], y[i:i + 48])
    loss = jnp.mean(jax.vmap(one_loss, (None, 0, 0))(params, x, y))
    print(f"epoch {epoch} loss {loss:.4f}")
