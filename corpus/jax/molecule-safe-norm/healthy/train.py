import jax
import jax.numpy as jnp
import optax
from jax import random


def safe_norm(v):
    square = jnp.sum(v * v, axis=-1)
    positive = square > 0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, square, 1.0)), 0.0)


def energy(params, positions):
    far = safe_norm(positions[:, None] - positions[None])
    basis = jnp.exp(-(far[..., None] - jnp.linspace(0, 3, 8)) ** 2 / 0.3)
    h = jnp.tanh(basis @ params["w1"] + params["b1"])
    return jnp.sum(h @ params["w2"]) / positions.shape[0] ** 2


def forces(params, positions):
    return -jax.grad(energy, argnums=1)(params, positions)


def loss_fn(params, positions, true_energy, true_forces):
    e = jax.vmap(energy, (None, 0))(params, positions)
    f = jax.vmap(forces, (None, 0))(params, positions)
    return jnp.mean((e - true_energy) ** 2) + jnp.mean((f - true_forces) ** 2)


def reference(positions):
    gap = positions[:, None] - positions[None]
    return jnp.sum(jnp.exp(-jnp.sum(gap ** 2, -1))) / positions.shape[0] ** 2


k = random.split(random.PRNGKey(7), 3)
positions = random.normal(k[0], (48, 5, 3))
true_energy = jax.vmap(reference)(positions)
true_forces = -jax.vmap(jax.grad(reference))(positions)
params = {"w1": 0.4 * random.normal(k[1], (8, 16)), "b1": jnp.zeros(16), "w2": 0.2 * random.normal(k[2], (16,))}
tx = optax.adam(1e-2)
opt_state = tx.init(params)


@jax.jit
def step(params, opt_state):
    loss, grads = jax.value_and_grad(loss_fn)(params, positions, true_energy, true_forces)
    updates, opt_state = tx.update(grads, opt_state)
    return optax.apply_updates(params, updates), opt_state, loss


for i in range(200):
    params, opt_state, loss = step(params, opt_state)
    if i % 50 == 0 or i == 199:
        print(i, float(loss))
