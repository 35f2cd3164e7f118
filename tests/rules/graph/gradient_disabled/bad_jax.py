import jax
import jax.numpy as jnp
import optax

points = jax.random.normal(jax.random.key(0), (128, 8))
labels = (points[:, 0] > 0).astype(int)
keys = jax.random.split(jax.random.key(1), 3)
params = {"left": jax.random.normal(keys[0], (8, 2)), "right": jax.random.normal(keys[1], (8, 2)), "head": jax.random.normal(keys[2], (4, 2))}
both = jnp.concatenate([params["left"], params["right"]], axis=1)
optimizer = optax.adam(0.01)
state = optimizer.init(params)


def loss_fn(params):
    scores = jnp.tanh(points @ both) @ params["head"]
    return optax.softmax_cross_entropy_with_integer_labels(scores, labels).mean()


for step in range(30):
    loss, grads = jax.value_and_grad(loss_fn)(params)
    updates, state = optimizer.update(grads, state)
    params = optax.apply_updates(params, updates)
