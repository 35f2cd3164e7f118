import jax
import jax.numpy as jnp
import optax

keys = jax.random.split(jax.random.key(0), 2)
before = jax.random.randint(keys[0], (128, 16), 100, 200).astype(jnp.uint8)
after = jax.random.randint(keys[1], (128, 16), 100, 200).astype(jnp.uint8)
brighter = (after.astype(jnp.float32) - before).mean(axis=1)
params = {"w": jnp.zeros(16), "b": jnp.zeros(())}
optimizer = optax.adam(0.01)
state = optimizer.init(params)


def loss_fn(params, before, after, brighter):
    change = after - before
    predicted = change @ params["w"] / 100 + params["b"]
    return optax.l2_loss(predicted, brighter).mean()


@jax.jit
def train_step(params, state, before, after, brighter):
    grads = jax.grad(loss_fn)(params, before, after, brighter)
    updates, state = optimizer.update(grads, state)
    return optax.apply_updates(params, updates), state


for step in range(40):
    params, state = train_step(params, state, before, after, brighter)
