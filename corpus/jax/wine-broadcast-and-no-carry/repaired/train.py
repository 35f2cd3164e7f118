import jax
import jax.numpy as jnp
import numpy as np
import optax


def predict(params, x):
    h = jnp.tanh(x @ params["hidden"])
    return h @ params["out"] + params["bias"]


@jax.jit
def loss_fn(params, x, score):
    return jnp.mean((predict(params, x)[:, 0] - score) ** 2)


rng = np.random.default_rng(26)
wine = rng.normal(size=(320, 8)).astype(np.float32)
score = (wine[:, 0] + 0.5 * wine[:, 1] - wine[:, 2] + 0.2 * rng.normal(size=320)).astype(np.float32)

k1, k2 = jax.random.split(jax.random.PRNGKey(26))
params = {"hidden": 0.3 * jax.random.normal(k1, (8, 24)), "out": 0.3 * jax.random.normal(k2, (24, 1)), "bias": jnp.zeros(1)}
optimizer = optax.adam(1e-2)
opt_state = optimizer.init(params)
grad_fn = jax.jit(jax.value_and_grad(loss_fn))

for epoch in range(20):
    for i in range(0, 320, 40):
        loss, grads = grad_fn(params, wine[i:i + 40], score[i:i + 40])
        updates, opt_state = optimizer.update(grads, opt_state, params)
        params = optax.apply_updates(params, updates)
    if epoch % 5 == 4:
        r = np.corrcoef(np.asarray(predict(params, wine))[:, 0], score)[0, 1]
        spread = np.asarray(predict(params, wine)).std()
        print(f"epoch {epoch} loss {loss:.4f} correlation {r:.3f} spread {spread:.3f}")
