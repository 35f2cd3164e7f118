import jax
import jax.numpy as jnp
import optax

points = jax.random.normal(jax.random.key(0), (256, 8))
labels = (points[:, 0] > 0).astype(int)
keys = jax.random.split(jax.random.key(1), 2)
params = {
    "hidden": {"w": 0.3 * jax.random.normal(keys[0], (8, 16)), "b": jnp.zeros(16)},
    "scores": {"w": 0.3 * jax.random.normal(keys[1], (16, 2)), "b": jnp.zeros(2)},
}
optimizer = optax.sgd(0.1)
state = optimizer.init(params)


def predict(params, points):
    hidden = jax.nn.relu(points @ params["hidden"]["w"] + params["hidden"]["b"])
    return hidden @ params["scores"]["w"] + params["scores"]["b"]


def loss_fn(params, points, labels):
    return optax.softmax_cross_entropy_with_integer_labels(predict(params, points), labels).mean()


@jax.jit
def train_step(params, state, points, labels):
    loss, grads = jax.value_and_grad(loss_fn)(params, points, labels)
    updates, state = optimizer.update(grads, state)
    return optax.apply_updates(params, updates), state, loss


def batches(points, labels):
    for start in range(0, len(points), 16):
        yield points[start : start + 16], labels[start : start + 16]


for step in range(40):
    inputs, kinds = next(batches(points, labels))
    params, state, loss = train_step(params, state, inputs, kinds)
