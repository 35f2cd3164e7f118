import jax
import jax.numpy as jnp
import optax

left = jax.random.normal(jax.random.key(0), (64, 4))
right = jax.random.normal(jax.random.key(1), (64, 4)).at[:8].set(left[:8])  # some pairs are the same
target = jnp.abs(left - right).sum(axis=1)
params = {"w": jax.random.normal(jax.random.key(2), (4, 6))}
optimizer = optax.sgd(0.05)
state = optimizer.init(params)


@jax.jit
def train_step(params, state):
    def loss_fn(params):
        distance = jnp.sqrt(jnp.square(left @ params["w"] - right @ params["w"]).sum(axis=1) + 1e-12)
        return jnp.mean((distance - target) ** 2)

    loss, grads = jax.value_and_grad(loss_fn)(params)
    updates, state = optimizer.update(grads, state)
    return optax.apply_updates(params, updates), state, loss


for step in range(30):
    params, state, loss = train_step(params, state)
