import jax
import jax.numpy as jnp
import numpy as np

ZONES = 6


def init_params(key, dims=(7, 32, ZONES)):
    params = {}
    for i, (n_in, n_out) in enumerate(zip(dims, dims[1:])):
        key, sub = jax.random.split(key)
        params[f"layer{i}"] = {"kernel": jax.random.normal(sub, (n_in, n_out)) * (2 / n_in) ** 0.5, "bias": jnp.zeros(n_out)}
    return params


def scores(params, x):
    h = jax.nn.relu(x @ params["layer0"]["kernel"] + params["layer0"]["bias"])
    return h @ params["layer1"]["kernel"] + params["layer1"]["bias"]


def cross_entropy(params, x, zone):
    onehot = jax.nn.one_hot(zone, ZONES)
    logp = jax.nn.log_softmax(scores(params, x))
    return -jnp.mean(jnp.sum(onehot * logp, axis=-1))


@jax.jit
def sgd(params, x, zone):
    value, grads = jax.value_and_grad(cross_entropy)(params, x, zone)
    return jax.tree_util.tree_map(lambda p, g: p - 0.2 * g, params, grads), value


rng = np.random.default_rng(77)
zone = 1 + rng.integers(0, ZONES, 600)
depot = rng.normal(size=(ZONES + 1, 7))
parcels = (1.2 * depot[zone] + 0.5 * rng.normal(size=(600, 7))).astype(np.float32)
params = init_params(jax.random.PRNGKey(77))
for epoch in range(12):
    for i in range(0, 600, 50):
        params, value = sgd(params, parcels[i:i + 50], zone[i:i + 50])
    if epoch % 4 == 3:
        best = np.asarray(scores(params, parcels)).argmax(1)
        print(f"epoch {epoch} loss {value:.3f} routed right {np.mean(best == zone):.3f}")
