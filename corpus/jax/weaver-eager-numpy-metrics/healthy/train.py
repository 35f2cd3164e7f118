import jax
import jax.numpy as jnp
import numpy as np
import optax


def init(key):
    k1, k2 = jax.random.split(key)
    return [(jax.random.normal(k1, (6, 20)) / 6 ** 0.5, jnp.zeros(20)), (jax.random.normal(k2, (20, 3)) / 20 ** 0.5, jnp.zeros(3))]


def scores(params, x):
    (w1, b1), (w2, b2) = params
    return jnp.tanh(x @ w1 + b1) @ w2 + b2


def loss_fn(params, x, y):
    logp = jax.nn.log_softmax(scores(params, x))
    return -logp[jnp.arange(len(y)), y].mean()


rng = np.random.default_rng(2)
y = rng.integers(0, 3, 240)
x = (rng.normal(size=(3, 6))[y] + 0.4 * rng.normal(size=(240, 6))).astype(np.float32)
params, history = init(jax.random.PRNGKey(2)), []
for epoch in range(5):
    for i in range(0, 240, 24):
        loss, grads = jax.value_and_grad(loss_fn)(params, x[i:i + 24], y[i:i + 24])
        params = jax.tree.map(lambda p, g: p - 0.3 * g, params, grads)
        history.append(float(loss))
    best = np.asarray(scores(params, x)).argmax(1)
    print(f"epoch {epoch} loss {np.mean(history[-10:]):.4f} right {np.mean(best == y):.3f} largest weight {max(float(np.abs(np.asarray(w)).max()) for w, _ in params):.2f}")
