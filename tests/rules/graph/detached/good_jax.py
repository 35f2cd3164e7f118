import jax
import jax.numpy as jnp
import optax
from flax import linen as nn


class Recommender(nn.Module):
    @nn.compact
    def __call__(self, visits):
        tastes = nn.tanh(nn.Dense(8)(visits))
        return nn.Dense(1)(tastes).squeeze(1)


@jax.jit
def train_step(params, state):
    loss, grads = jax.value_and_grad(lambda p: jnp.mean((model.apply(p, visits) - ratings) ** 2))(params)
    updates, state = optimizer.update(grads, state)
    return optax.apply_updates(params, updates), state, loss


visits = jax.random.normal(jax.random.key(0), (128, 10))
ratings = visits[:, 0] - visits[:, 1]
model = Recommender()
params = model.init(jax.random.key(1), visits)
optimizer = optax.adam(0.01)
state = optimizer.init(params)

for step in range(30):
    params, state, loss = train_step(params, state)
