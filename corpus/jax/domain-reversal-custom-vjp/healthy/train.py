import functools

import jax
import jax.numpy as jnp
import optax
from jax import random


@functools.partial(jax.custom_vjp, nondiff_argnums=(1,))
def reverse(x, strength):
    return x


def reverse_fwd(x, strength):
    return x, None


def reverse_bwd(strength, _, g):
    return (-strength * g,)


reverse.defvjp(reverse_fwd, reverse_bwd)


def init(key):
    ks = random.split(key, 3)
    return {"feat": random.normal(ks[0], (12, 16)) / 12 ** 0.5, "cls": random.normal(ks[1], (16, 3)) / 4, "dom": random.normal(ks[2], (16, 2)) / 4}


def loss_fn(params, x, y, domain):
    h = jnp.tanh(x @ params["feat"])
    label = optax.softmax_cross_entropy_with_integer_labels(h @ params["cls"], y).mean()
    where = optax.softmax_cross_entropy_with_integer_labels(reverse(h, 0.3) @ params["dom"], domain).mean()
    return label + where, (label, where)


tx = optax.adam(5e-3)


@jax.jit
def step(params, opt_state, x, y, domain):
    (_, parts), grads = jax.value_and_grad(loss_fn, has_aux=True)(params, x, y, domain)
    updates, opt_state = tx.update(grads, opt_state)
    return optax.apply_updates(params, updates), opt_state, parts


ks = random.split(random.key(9), 5)
y, domain = random.randint(ks[0], (400,), 0, 3), random.randint(ks[1], (400,), 0, 2)
x = random.normal(ks[2], (3, 12))[y] + 0.5 * random.normal(ks[3], (400, 12)) + domain[:, None] * 0.8
params = init(ks[4])
opt_state = tx.init(params)
for epoch in range(10):
    for i in range(0, 400, 40):
        params, opt_state, (label, where) = step(params, opt_state, x[i:i + 40], y[i:i + 40], domain[i:i + 40])
    if epoch % 3 == 0:
        print(f"epoch {epoch} label loss {label:.3f} domain loss {where:.3f}")
