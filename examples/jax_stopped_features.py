"""JAX: the features are cut off from the loss, so that half of the parameters never learn."""

import jax
import jax.numpy as jnp
import optax


def features(params, sensors):
    return jax.nn.tanh(sensors @ params["w"] + params["b"])


def objective(params, sensors, faults):
    hidden = jax.lax.stop_gradient(features(params["encoder"], sensors))
    scores = hidden @ params["head"]["w"] + params["head"]["b"]
    return optax.softmax_cross_entropy_with_integer_labels(scores, faults).mean()


@jax.jit
def update(params, state, sensors, faults):
    loss, gradients = jax.value_and_grad(objective)(params, sensors, faults)
    changes, state = optimizer.update(gradients, state)
    return optax.apply_updates(params, changes), state, loss


keys = jax.random.split(jax.random.key(7), 4)
sensors = jax.random.normal(keys[0], (128, 6))
faults = jnp.argmax(sensors[:, :3], axis=1)
params = {
    "encoder": {"w": 0.4 * jax.random.normal(keys[1], (6, 12)), "b": jnp.zeros(12)},
    "head": {"w": 0.3 * jax.random.normal(keys[2], (12, 3)), "b": jnp.zeros(3)},
}
optimizer = optax.adam(1e-2)
state = optimizer.init(params)
for step in range(40):
    params, state, loss = update(params, state, sensors, faults)
print(f"loss {loss:.3f}")
