import jax, jax.numpy as jnp, optax


def kernel(a, b):
    return jnp.exp(-jnp.sum((a - b) ** 2) / 2)


gram = jax.vmap(jax.vmap(kernel, (None, 0)), (0, None))


def init(k):
    return {"w": jax.random.normal(k, (3, 2)) * 0.5, "b": jnp.zeros(2)}


def gen(p, z):
    return z @ p["w"] + p["b"]


def loss_fn(p, z, y):
    x = gen(p, z)
    return gram(x, x).mean() - 2 * gram(x, y).mean() + gram(y, y).mean()


p = init(jax.random.key(0))
tx = optax.adam(0.02)
st = tx.init(p)


@jax.jit
def step(p, st, z, y):
    l, g = jax.value_and_grad(loss_fn)(p, z, y)
    u, st = tx.update(g, st, p)
    return optax.apply_updates(p, u), st, l


for i in range(120):
    k1, k2 = jax.random.split(jax.random.key(i))
    z = jax.random.normal(k1, (64, 3))
    y = jax.random.normal(k2, (64, 2)) * 0.3 + 1.0
    p, st, l = step(p, st, z, y)
print(l)
