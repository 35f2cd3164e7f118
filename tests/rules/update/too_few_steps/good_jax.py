import jax
import jax.numpy as jnp
import optax

speed = jax.random.normal(jax.random.key(0), (128, 3))
range_left = speed @ jnp.array([2.0, -1.0, 0.5])
params = {"w": jnp.zeros(3), "b": jnp.zeros(())}
optimizer = optax.sgd(0.0015)
state = optimizer.init(params)


@jax.jit
def train_step(params, state):
    loss, grads = jax.value_and_grad(lambda p: jnp.mean((speed @ p["w"] + p["b"] - range_left) ** 2))(params)
    updates, state = optimizer.update(grads, state)
    return optax.apply_updates(params, updates), state, loss


for step in range(3000):
    params, state, loss = train_step(params, state)
