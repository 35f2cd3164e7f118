import jax
import jax.numpy as jnp
from jax import random


def error(w, reading, ozone):
    return (jnp.dot(reading, w) - ozone) ** 2


per_site = jax.vmap(jax.grad(error, argnums=0), in_axes=(None, 0, 0))
batch_error = jax.jit(lambda w, readings, ozone: jax.vmap(error, (None, 0, 0))(w, readings, ozone).mean())


@jax.jit
def update(w, readings, ozone, rate=0.05):
    g = per_site(w, readings, ozone).mean(axis=0)
    return w - rate * g


k1, k2, k3 = random.split(random.key(10), 3)
readings = random.normal(k1, (200, 6))
ozone = readings @ jnp.array([1.0, 0.5, -1.0, 2.0, 0.0, -0.5]) + 0.1 * random.normal(k2, (200,))
w = 0.5 * random.normal(k3, (6,))
for sweep in range(40):
    for i in range(0, 200, 20):
        w = update(w, readings[i:i + 20], ozone[i:i + 20])
    if sweep % 10 == 9:
        print(f"sweep {sweep} error {batch_error(w, readings, ozone):.4f}")
