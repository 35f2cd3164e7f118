import jax
import jax.numpy as jnp
import optax
from jax import random


def mlp(params, x):
    for w, b in params[:-1]:
        x = jax.nn.leaky_relu(x @ w + b, 0.2)
    w, b = params[-1]
    return x @ w + b


def init(key, sizes):
    keys = random.split(key, len(sizes) - 1)
    return [(random.normal(k, (a, b)) * (2 / a) ** 0.5, jnp.zeros(b)) for k, a, b in zip(keys, sizes, sizes[1:])]


def critic_loss(d, g, real, noise):
    fake = mlp(g, noise)
    return jnp.mean(jax.nn.softplus(-mlp(d, real))) + jnp.mean(jax.nn.softplus(mlp(d, fake)))


def generator_loss(g, d, noise):
    return jnp.mean(jax.nn.softplus(-mlp(d, mlp(g, noise))))


g_tx, d_tx = optax.adam(2e-3, b1=0.5), optax.adam(2e-3, b1=0.5)


@jax.jit
def train_step(g, d, g_state, d_state, real, key):
    k1, k2 = random.split(key)
    d_value, d_grads = jax.value_and_grad(critic_loss)(d, g, real, random.normal(k1, (64, 4)))
    d_updates, d_state = d_tx.update(d_grads, d_state)
    d = optax.apply_updates(d, d_updates)
    g_value, g_grads = jax.value_and_grad(generator_loss)(g, d, random.normal(k2, (64, 4)))
    g_updates, g_state = g_tx.update(g_grads, g_state)
    return optax.apply_updates(g, g_updates), d, g_state, d_state, d_value, g_value


key = random.PRNGKey(0)
kg, kd, key = random.split(key, 3)
g, d = init(kg, [4, 32, 32, 2]), init(kd, [2, 32, 32, 1])
g_state, d_state = g_tx.init(g), d_tx.init(d)
for step in range(600):
    key, ka, ks = random.split(key, 3)
    angle = random.uniform(ka, (64,), maxval=2 * jnp.pi)
    real = jnp.stack([jnp.cos(angle), jnp.sin(angle)], 1)
    g, d, g_state, d_state, d_value, g_value = train_step(g, d, g_state, d_state, real, ks)
    if step % 150 == 149:
        radius = jnp.linalg.norm(mlp(g, random.normal(random.PRNGKey(5), (256, 4))), axis=1)
        print(f"step {step + 1} critic {d_value:.3f} generator {g_value:.3f} radius {radius.mean():.3f} +- {radius.std():.3f}")
