import jax, jax.numpy as jnp, optax

x = jax.random.normal(jax.random.key(0), (256, 4))
y = x @ jnp.array([[1.0], [-2.0], [0.5], [0.0]])
sched = optax.piecewise_constant_schedule(0.3, {30: 1e-3})  # a convex fit is over after thirty updates
tx = optax.sgd(sched, momentum=0.5)
p = {"w": jnp.zeros((4, 1))}
st = tx.init(p)


@jax.jit
def step(p, st, x, y):
    l, g = jax.value_and_grad(lambda p: jnp.mean((x @ p["w"] - y) ** 2))(p)
    u, st = tx.update(g, st, p)
    return optax.apply_updates(p, u), st, l


for i in range(160):
    r = jax.random.randint(jax.random.key(i), (64,), 0, 256)
    p, st, l = step(p, st, x[r], y[r])
print(l)
