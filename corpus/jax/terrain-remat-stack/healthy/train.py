import jax
import jax.numpy as jnp
import optax
from jax import lax, random

DEPTH, WIDTH = 8, 24


def init(key):
    k1, k2, k3 = random.split(key, 3)
    return {"in": random.normal(k1, (2, WIDTH)), "blocks": {"up": random.normal(k2, (DEPTH, WIDTH, WIDTH)) / WIDTH ** 0.5,
            "bias": jnp.zeros((DEPTH, WIDTH)), "down": jnp.zeros((DEPTH, WIDTH, WIDTH))}, "out": random.normal(k3, (WIDTH,)) / WIDTH ** 0.5}


@jax.checkpoint
def block(h, layer):
    return h + jax.nn.silu(h @ layer["up"] + layer["bias"]) @ layer["down"]


def height(params, place):
    h = jnp.tanh(place @ params["in"])
    h, _ = lax.scan(lambda h, layer: (block(h, layer), None), h, params["blocks"])
    return h @ params["out"]


def loss_fn(params, place, truth):
    return jnp.mean((height(params, place) - truth) ** 2)


tx = optax.adam(2e-3)


@jax.jit
def run(params, opt_state, keys):
    def body(carry, key):
        params, opt_state = carry
        place = random.uniform(key, (128, 2), minval=-1, maxval=1)
        truth = jnp.sin(4 * place[:, 0]) * jnp.cos(3 * place[:, 1])
        loss, grads = jax.value_and_grad(loss_fn)(params, place, truth)
        updates, opt_state = tx.update(grads, opt_state)
        return (optax.apply_updates(params, updates), opt_state), loss

    (params, opt_state), losses = lax.scan(body, (params, opt_state), keys)
    return params, opt_state, losses


params = init(random.key(0))
opt_state = tx.init(params)
for round_, key in enumerate(random.split(random.key(1), 4)):
    params, opt_state, losses = run(params, opt_state, random.split(key, 100))
    print(f"round {round_} first {losses[0]:.4f} last {losses[-5:].mean():.4f}")
