import jax
import jax.numpy as jnp
import optax
from flax import linen as nn


class Rent(nn.Module):
    @nn.compact
    def __call__(self, rooms):
        return nn.Dense(1)(nn.tanh(nn.Dense(16)(rooms)))[:, 0]


rooms = jax.random.normal(jax.random.key(0), (256, 4))
rent = rooms[:, 0] - 2 * rooms[:, 1]
model = Rent()
params = model.init(jax.random.key(1), rooms)
optimizer = optax.sgd(0.1)
state = optimizer.init(params)


@jax.jit
def train_step(params, state):
    loss, grads = jax.value_and_grad(lambda p: jnp.mean((model.apply(p, rooms) - rent) ** 2))(params)
    updates, state = optimizer.update(grads, state)
    return optax.apply_updates(params, updates), state, loss


for step in range(60):
    params, state, loss = train_step(params, state)
