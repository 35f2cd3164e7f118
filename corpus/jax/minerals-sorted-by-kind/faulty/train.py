import jax
import jax.numpy as jnp
import numpy as np
import optax


def read_samples(seed=27, each=300, kinds=5):
    rng = np.random.default_rng(seed)
    kind = np.repeat(np.arange(kinds), each)
    x = 0.6 * rng.normal(size=(kinds, 9))[kind] + rng.normal(size=(kinds * each, 9))
    return x.astype(np.float32), kind


def scores(params, x):
    return jnp.maximum(x @ params["w1"] + params["b1"], 0) @ params["w2"] + params["b2"]


@jax.jit
def step(params, x, kind):
    loss, g = jax.value_and_grad(lambda p: optax.softmax_cross_entropy_with_integer_labels(scores(p, x), kind).mean())(params)
    return jax.tree.map(lambda p, d: p - 0.5 * d, params, g), loss


x, kind = read_samples()
order = np.random.default_rng(28)
k1, k2 = jax.random.split(jax.random.PRNGKey(27))
params = {"w1": jax.random.normal(k1, (9, 32)) / 3, "b1": jnp.zeros(32), "w2": jax.random.normal(k2, (32, 5)) / 32 ** 0.5, "b2": jnp.zeros(5)}
for epoch in range(7):
    for i in range(0, len(kind), 50):
        rows = slice(i, i + 50)
        params, loss = step(params, x[rows], kind[rows])
    if epoch % 2 == 0:
        right = np.mean(np.argmax(scores(params, x), 1) == kind)
        print(f"epoch {epoch} last loss {loss:.4f} right {right:.3f}")
