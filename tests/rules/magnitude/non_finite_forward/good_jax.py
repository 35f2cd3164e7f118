import jax
import jax.numpy as jnp
import optax

sizes = jax.random.normal(jax.random.key(0), (128, 4))
counts = jax.random.randint(jax.random.key(1), (128,), 0, 5)
params = {"w": jax.random.normal(jax.random.key(2), (4,)), "b": jnp.zeros(())}
optimizer = optax.sgd(0.05)
state = optimizer.init(params)


@jax.jit
def train_step(params, state):
    def loss_fn(params):
        rate = jax.nn.softplus(sizes @ params["w"] + params["b"])
        return jnp.mean(rate - counts * jnp.log(rate))

    loss, grads = jax.value_and_grad(loss_fn)(params)
    updates, state = optimizer.update(grads, state)
    return optax.apply_updates(params, updates), state, loss


for step in range(30):
    params, state, loss = train_step(params, state)
