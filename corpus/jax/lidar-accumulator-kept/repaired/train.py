import jax
import jax.numpy as jnp
import numpy as np

MICRO, RATE = 4, 0.2


def model(params, scan):
    h = jnp.tanh(scan @ params["w1"] + params["b1"])
    return h @ params["w2"] + params["b2"]


@jax.jit
def loss_and_grads(params, scan, distance):
    return jax.value_and_grad(lambda p: jnp.mean((model(p, scan) - distance) ** 2))(params)


rng = np.random.default_rng(47)
scan = rng.normal(size=(512, 10)).astype(np.float32)
distance = (np.sin(scan[:, 0]) + 0.5 * scan[:, 1]).astype(np.float32)
k1, k2 = jax.random.split(jax.random.key(47))
params = {"w1": jax.random.normal(k1, (10, 24)) / 10 ** 0.5, "b1": jnp.zeros(24), "w2": jax.random.normal(k2, (24,)) / 24 ** 0.5, "b2": jnp.asarray(0.0)}
total = jax.tree.map(jnp.zeros_like, params)
for epoch in range(12):
    losses = []
    for n, i in enumerate(range(0, 512, 16)):
        loss, grads = loss_and_grads(params, scan[i:i + 16], distance[i:i + 16])
        losses.append(float(loss))
        total = jax.tree.map(jnp.add, total, grads)
        if (n + 1) % MICRO == 0:
            params = jax.tree.map(lambda p, s: p - RATE * s / MICRO, params, total)
            total = jax.tree.map(jnp.zeros_like, total)
    if epoch % 3 == 2:
        print(f"epoch {epoch} loss {np.mean(losses):.4f}")
