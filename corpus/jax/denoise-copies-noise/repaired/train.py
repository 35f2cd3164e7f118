import jax
import jax.numpy as jnp
from jax import random


def init_layer(key, n_in, n_out):
    return {"w": random.normal(key, (n_in, n_out)) / jnp.sqrt(n_in), "b": jnp.zeros(n_out)}


def init(key, sizes):
    keys = random.split(key, len(sizes) - 1)
    return [init_layer(k, a, b) for k, a, b in zip(keys, sizes[:-1], sizes[1:])]


def denoise(params, x):
    for layer in params[:-1]:
        x = jnp.tanh(x @ layer["w"] + layer["b"])
    return x @ params[-1]["w"] + params[-1]["b"]


def reconstruction_loss(params, noisy, clean):
    out = denoise(params, noisy)
    err = out - clean
    return jnp.mean(err ** 2)


@jax.jit
def update(params, noisy, clean, lr=0.1):
    loss, grads = jax.value_and_grad(reconstruction_loss)(params, noisy, clean)
    return jax.tree.map(lambda p, g: p - lr * g, params, grads), loss


def waves(key, n):
    k1, k2, k3 = random.split(key, 3)
    t = jnp.linspace(0, 2 * jnp.pi, 16)
    phase = random.uniform(k1, (n, 1), maxval=6.28)
    clean = jnp.sin(t[None] + phase)
    return clean + 0.5 * random.normal(k2, clean.shape), clean


key = random.PRNGKey(0)
params = init(key, [16, 48, 16])
for step in range(600):
    key, sub = random.split(key)
    noisy, clean = waves(sub, 64)
    params, loss = update(params, noisy, clean)
    if step % 100 == 0:
        print(step, "loss", float(loss))
noisy, clean = waves(random.PRNGKey(99), 256)
print("error before", float(jnp.mean((noisy - clean) ** 2)), "after", float(jnp.mean((denoise(params, noisy) - clean) ** 2)))
