import functools

import jax
import jax.numpy as jnp
import optax
from jax import lax, random


def init(key, notes, hidden, moods):
    ks = random.split(key, 4)
    return {"emb": 0.5 * random.normal(ks[0], (notes, hidden)),
            "gate": {"w": random.normal(ks[1], (2 * hidden, hidden)) / (2 * hidden) ** 0.5, "b": -jnp.ones(hidden)},
            "cand": {"w": random.normal(ks[2], (2 * hidden, hidden)) / (2 * hidden) ** 0.5, "b": jnp.zeros(hidden)},
            "out": random.normal(ks[3], (hidden, moods)) / hidden ** 0.5}


def mood(params, melody):
    def cell(h, x):
        both = jnp.concatenate([h, x])
        z = jax.nn.sigmoid(both @ params["gate"]["w"] + params["gate"]["b"])
        c = jnp.tanh(both @ params["cand"]["w"] + params["cand"]["b"])
        h = (1 - z) * h + z * c
        return h, jnp.mean(z)

    h, _ = lax.scan(cell, jnp.zeros(params["out"].shape[0]), params["emb"][melody])
    return h @ params["out"]


@functools.partial(jax.jit, static_argnums=0, donate_argnums=(1, 2))
def step(tx, params, opt_state, melody, y):
    def loss_fn(p):
        logits = jax.vmap(mood, in_axes=(None, 0))(p, melody)
        return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()

    loss, grads = jax.value_and_grad(loss_fn)(params)
    updates, opt_state = tx.update(grads, opt_state)
    return optax.apply_updates(params, updates), opt_state, loss


melody = random.randint(random.key(0), (320, 10), 0, 12)
y = jnp.clip(jnp.sum(melody % 3 == 0, axis=1) - 2, 0, 3)
tx = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(1e-2))
params = init(random.key(1), 12, 20, 4)
opt_state = tx.init(params)
for epoch in range(24):
    for i in range(0, 320, 40):
        params, opt_state, loss = step(tx, params, opt_state, melody[i:i + 40], y[i:i + 40])
    if epoch % 6 == 5:
        print(f"epoch {epoch} loss {loss:.4f}")
