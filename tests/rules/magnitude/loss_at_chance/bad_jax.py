import jax
import jax.numpy as jnp
import optax

points = jax.random.uniform(jax.random.key(0), (256, 2)) - 0.5
labels = (points[:, 0] * points[:, 1] > 0).astype(int)
params = {"w": jax.random.normal(jax.random.key(1), (2, 2)), "b": jnp.zeros(2)}
optimizer = optax.adam(0.01)
state = optimizer.init(params)


@jax.jit
def train_step(params, state):
    def loss_fn(params):
        return optax.softmax_cross_entropy_with_integer_labels(points @ params["w"] + params["b"], labels).mean()

    loss, grads = jax.value_and_grad(loss_fn)(params)
    updates, state = optimizer.update(grads, state)
    return optax.apply_updates(params, updates), state, loss


for step in range(150):
    params, state, loss = train_step(params, state)
