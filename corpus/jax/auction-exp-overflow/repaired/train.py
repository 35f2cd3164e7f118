import jax
import jax.numpy as jnp
import numpy as np


class Linear:
    @staticmethod
    def init(key, n_in, n_out):
        return {"w": 2.0 * jax.random.normal(key, (n_in, n_out)), "b": jnp.zeros(n_out)}

    @staticmethod
    def apply(p, x):
        return x @ p["w"] + p["b"]


def nll(params, bids, lot):
    logp = jax.nn.log_softmax(Linear.apply(params, bids))
    return -jnp.mean(logp[jnp.arange(lot.shape[0]), lot])


@jax.jit
def step(params, velocity, bids, lot):
    loss, grads = jax.value_and_grad(nll)(params, bids, lot)
    velocity = jax.tree.map(lambda v, g: 0.9 * v + g, velocity, grads)
    return jax.tree.map(lambda p, v: p - 0.005 * v, params, velocity), velocity, loss


rng = np.random.default_rng(30)
lot = rng.integers(0, 3, 300)
bids = np.abs(10.0 * rng.normal(size=(3, 8))[lot] + 8.0 * rng.normal(size=(300, 8))).astype(np.float32)
bids[rng.random(300) < 0.05] *= 3
params = Linear.init(jax.random.PRNGKey(30), 8, 3)
velocity = jax.tree.map(jnp.zeros_like, params)
for epoch in range(30):
    for i in range(0, 300, 30):
        params, velocity, loss = step(params, velocity, bids[i:i + 30], lot[i:i + 30])
    if epoch % 10 == 9:
        acc = np.mean(np.argmax(Linear.apply(params, bids), 1) == lot)
        print(f"epoch {epoch} loss {loss:.4f} acc {acc:.3f}")
