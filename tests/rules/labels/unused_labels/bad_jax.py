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
    scores = predict(params, points)
    return optax.softmax_cross_entropy_with_integer_labels(scores, scores.argmax(axis=1)).mean()


@jax.jit
def train_step(params, state, points, labels):
    loss, grads = jax.value_and_grad(loss_fn)(params, points, labels)
    updates, state = optimizer.update(grads, state)
    return optax.apply_updates(params, updates), state, loss


for step in range(40):
    chosen = jax.random.randint(jax.random.key(step), (32,), 0, 256)
    params, state, loss = train_step(params, state, points[chosen], labels[chosen])
