import jax
import jax.numpy as jnp
import optax

SCALE = 2.0**20


def loss_fn(params, points, labels):
    half = jax.tree.map(lambda leaf: leaf.astype(jnp.float16), params)
    hidden = jax.nn.relu(points.astype(jnp.float16) @ half["w1"])
    losses = optax.softmax_cross_entropy_with_integer_labels(hidden @ half["w2"], labels)
    return SCALE * losses.astype(jnp.float32).mean()


@jax.jit
def train_step(params, state, points, labels):
    grads = jax.grad(loss_fn)(params, points, labels)
    grads = jax.tree.map(lambda grad: grad / SCALE, grads)
    updates, state = optimizer.update(grads, state)
    return optax.apply_updates(params, updates), state


points = jax.random.normal(jax.random.key(0), (256, 8))
labels = (points[:, 0] > 0).astype(int)
keys = jax.random.split(jax.random.key(1))
params = {"w1": 0.3 * jax.random.normal(keys[0], (8, 16)), "w2": 0.3 * jax.random.normal(keys[1], (16, 2))}
optimizer = optax.apply_if_finite(optax.sgd(0.1), max_consecutive_errors=100)
state = optimizer.init(params)

for step in range(40):
    chosen = jax.random.randint(jax.random.key(step), (32,), 0, 256)
    params, state = train_step(params, state, points[chosen], labels[chosen])
