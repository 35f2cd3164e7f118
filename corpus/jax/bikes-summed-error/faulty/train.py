import jax
import jax.numpy as jnp
import numpy as np

LEARNING_RATE = 0.05


def predict(params, x):
    for w, b in params[:-1]:
        x = jnp.tanh(x @ w + b)
    w, b = params[-1]
    return (x @ w + b).squeeze(-1)


def loss_fn(params, x, y):
    return jnp.sum((predict(params, x) - y) ** 2)


@jax.jit
def update(params, x, y):
    loss, grads = jax.value_and_grad(loss_fn)(params, x, y)
    return [(w - LEARNING_RATE * gw, b - LEARNING_RATE * gb) for (w, b), (gw, gb) in zip(params, grads)], loss


rng = np.random.default_rng(64)
hours = rng.uniform(-1, 1, (800, 4)).astype(np.float32)
demand = (np.sin(3 * hours[:, 0]) + hours[:, 1] - 0.5 * hours[:, 2] * hours[:, 3]).astype(np.float32)
sizes = [4, 32, 1]
params = [(jnp.asarray(rng.normal(0, a ** -0.5, (a, b)), jnp.float32), jnp.zeros(b)) for a, b in zip(sizes, sizes[1:])]
for epoch in range(300):
    params, loss = update(params, hours, demand)
    if epoch % 60 == 0 or epoch == 299:
        print(f"epoch {epoch:3d} mean squared error {np.mean((np.asarray(predict(params, hours)) - demand) ** 2):.4f}")
