import jax
import jax.numpy as jnp
import optax

rooms = jax.random.normal(jax.random.key(0), (256, 8))
rent = rooms[:, 0] - rooms[:, 1]
keys = jax.random.split(jax.random.key(1), 12)
layers = [jax.random.normal(key, (16, 16)) / 4 for key in keys[:10]]
params = {"first": jax.random.normal(keys[10], (8, 16)) / 3, "layers": layers, "out": jax.random.normal(keys[11], (16,)) / 4}
optimizer = optax.adam(0.001)
state = optimizer.init(params)


def loss_fn(params):
    x = rooms @ params["first"]
    for layer in params["layers"]:
        x = jnp.sin(10 * (x @ layer))
    return jnp.mean((x @ params["out"] - rent) ** 2)


@jax.jit
def train_step(params, state):
    loss, grads = jax.value_and_grad(loss_fn)(params)
    updates, state = optimizer.update(grads, state)
    return optax.apply_updates(params, updates), state, loss


for step in range(30):
    params, state, loss = train_step(params, state)
