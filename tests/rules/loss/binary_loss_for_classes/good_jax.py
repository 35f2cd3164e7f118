import jax
import jax.numpy as jnp
import optax
from flax import linen as nn

flowers = jax.random.normal(jax.random.key(0), (150, 4))
species = jax.nn.one_hot(flowers[:, :3].argmax(axis=1), 3)


class Flowers(nn.Module):
    @nn.compact
    def __call__(self, inputs):
        hidden = nn.relu(nn.Dense(16)(inputs))
        return nn.softmax(nn.Dense(3)(hidden))


model = Flowers()
params = model.init(jax.random.key(1), flowers)
optimizer = optax.adam(0.01)
state = optimizer.init(params)


@jax.jit
def train_step(params, state, inputs, labels):
    def loss_fn(params):
        scores = model.apply(params, inputs)
        losses = labels * jnp.log(scores)
        return -losses.sum(axis=1).mean()

    grads = jax.grad(loss_fn)(params)
    updates, state = optimizer.update(grads, state, params)
    return optax.apply_updates(params, updates), state


for step in range(30):
    params, state = train_step(params, state, flowers, species)
