import jax
import jax.numpy as jnp
import optax


def loss_fn(params, points, labels):
    hidden = jax.nn.relu(points @ params["w1"] + params["b1"])
    return optax.softmax_cross_entropy_with_integer_labels(hidden @ params["w2"] + params["b2"], labels).mean()


points = jax.random.normal(jax.random.key(0), (256, 8))
labels = (points[:, 0] > 0).astype(int)
keys = jax.random.split(jax.random.key(1))
params = {"w1": 0.3 * jax.random.normal(keys[0], (8, 16)), "b1": jnp.zeros(16), "w2": 0.3 * jax.random.normal(keys[1], (16, 2)), "b2": jnp.zeros(2)}
optimizer = optax.sgd(0.1)
state = optimizer.init(params)
total = jax.tree.map(jnp.zeros_like, params)

for step in range(40):
    chosen = jax.random.randint(jax.random.key(step), (32,), 0, 256)
    grads = jax.grad(loss_fn)(params, points[chosen], labels[chosen])
    total = jax.tree.map(jnp.add, total, grads)
    if step % 4 == 3:
        updates, state = optimizer.update(total, state)
        params = optax.apply_updates(params, updates)
        total = jax.tree.map(jnp.zeros_like, params)
