import jax
import jax.numpy as jnp
import optax
from flax import linen as nn


class Classifier(nn.Module):
    @nn.compact
    def __call__(self, points):
        hidden = nn.tanh(nn.Dense(16, kernel_init=nn.initializers.normal(0.3))(points))
        return nn.Dense(2)(hidden)


@jax.jit
def train_step(params, state, points, labels):
    def loss_fn(params):
        return optax.softmax_cross_entropy_with_integer_labels(model.apply(params, points), labels).mean()

    loss, grads = jax.value_and_grad(loss_fn)(params)
    updates, state = optimizer.update(grads, state)
    return optax.apply_updates(params, updates), state, loss


points = jax.random.normal(jax.random.key(0), (256, 8))
labels = (points[:, 0] > 0).astype(int)
model = Classifier()
params = model.init(jax.random.key(1), points)
optimizer = optax.sgd(0.1)
state = optimizer.init(params)

for step in range(40):
    chosen = jax.random.randint(jax.random.key(step), (32,), 0, 256)
    params, state, loss = train_step(params, state, points[chosen], labels[chosen])
