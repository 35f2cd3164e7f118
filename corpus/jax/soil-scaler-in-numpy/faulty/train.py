import jax
import jax.numpy as jnp
import numpy as np
import optax


def init(key, bands):
    k1, k2, k3 = jax.random.split(key, 3)
    return {"project": 0.2 * jax.random.normal(k1, (bands, 2)),
            "hidden": 0.5 * jax.random.normal(k2, (2, 16)), "hidden_bias": jnp.zeros(16),
            "out": 0.3 * jax.random.normal(k3, (16,)), "out_bias": jnp.zeros(())}


def project(params, spectra):
    return jnp.tanh(spectra @ params["project"])


def head(params, features):
    h = jax.nn.relu(features @ params["hidden"] + params["hidden_bias"])
    return h @ params["out"] + params["out_bias"]


def loss_fn(params, features, carbon):
    return jnp.mean((head(params, features) - carbon) ** 2)


def standardise(codes):
    return (codes - codes.mean(axis=0)) / (codes.std(axis=0) + 1e-6)


def train(spectra, carbon, epochs=120):
    params = init(jax.random.PRNGKey(15), spectra.shape[1])
    tx = optax.adam(1e-2)
    state = tx.init(params)
    for epoch in range(epochs):
        codes = np.asarray(project(params, spectra))
        features = jnp.asarray(standardise(codes))
        loss, grads = jax.value_and_grad(loss_fn)(params, features, carbon)
        updates, state = tx.update(grads, state)
        params = optax.apply_updates(params, updates)
        if epoch % 40 == 0 or epoch == epochs - 1:
            print(f"epoch {epoch} loss {loss:.4f}")


rng = np.random.default_rng(15)
spectra = rng.normal(size=(200, 40)).astype(np.float32)
carbon = (spectra[:, 3] + np.sin(spectra[:, 11])).astype(np.float32)
train(spectra, carbon)
