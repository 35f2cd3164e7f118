import jax
import jax.numpy as jnp
import optax

points = jax.random.normal(jax.random.key(0), (128, 4))
heights = points.sum(axis=1)
params = {"w": jnp.zeros(4), "b": jnp.zeros(())}
temperature = jnp.array(1.0)
optimizer = optax.sgd(0.1 / temperature)
state = optimizer.init(params)


@jax.jit
def train_step(params, state):
    loss, grads = jax.value_and_grad(lambda p: jnp.mean((points @ p["w"] + p["b"] - heights) ** 2))(params)
    updates, state = optimizer.update(grads, state)
    return optax.apply_updates(params, updates), state, loss


for step in range(30):
    params, state, loss = train_step(params, state)
