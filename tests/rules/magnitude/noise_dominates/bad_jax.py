import jax
import optax
from flax import linen as nn


class Network(nn.Module):
    @nn.compact
    def __call__(self, samples):
        hidden = nn.Dropout(0.95, deterministic=False)(nn.relu(nn.Dense(64)(samples)))
        hidden = nn.Dropout(0.95, deterministic=False)(nn.relu(nn.Dense(64)(hidden)))
        return nn.Dense(4)(hidden)


@jax.jit
def train_step(params, state, samples, kinds, key):
    def loss_fn(params):
        return optax.softmax_cross_entropy_with_integer_labels(network.apply(params, samples, rngs={"dropout": key}), kinds).mean()

    loss, grads = jax.value_and_grad(loss_fn)(params)
    updates, state = optimizer.update(grads, state)
    return optax.apply_updates(params, updates), state, loss


keys = jax.random.split(jax.random.key(0), 4)
kinds = jax.random.randint(keys[0], (512,), 0, 4)
samples = jax.random.normal(keys[1], (4, 12))[kinds] + jax.random.normal(keys[2], (512, 12))
network = Network()
params = network.init({"params": keys[3], "dropout": keys[3]}, samples)
optimizer = optax.adam(0.001)
state = optimizer.init(params)

for step in range(40):
    chosen = jax.random.randint(jax.random.key(step), (64,), 0, 512)
    params, state, loss = train_step(params, state, samples[chosen], kinds[chosen], jax.random.key(1000 + step))
