import jax
import optax
from flax import linen as nn


class Network(nn.Module):
    @nn.compact
    def __call__(self, points, train):
        hidden = nn.BatchNorm(use_running_average=not train)(nn.Dense(16)(points))
        return nn.Dense(2)(nn.relu(hidden))


@jax.jit
def train_step(params, stats, state, points, labels):
    def loss_fn(params):
        scores, new = network.apply({"params": params, "batch_stats": stats}, points, train=False, mutable=["batch_stats"])
        return optax.softmax_cross_entropy_with_integer_labels(scores, labels).mean(), new["batch_stats"]

    (loss, new_stats), grads = jax.value_and_grad(loss_fn, has_aux=True)(params)
    updates, state = optimizer.update(grads, state)
    return optax.apply_updates(params, updates), new_stats, state, loss


points = jax.random.normal(jax.random.key(0), (256, 8))
labels = (points[:, 0] > 0).astype(int)
network = Network()
variables = network.init(jax.random.key(1), points, train=False)
params, stats = variables["params"], variables["batch_stats"]
optimizer = optax.sgd(0.1)
state = optimizer.init(params)

for step in range(40):
    chosen = jax.random.randint(jax.random.key(step), (32,), 0, 256)
    params, stats, state, loss = train_step(params, stats, state, points[chosen], labels[chosen])
