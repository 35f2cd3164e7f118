import jax
import jax.numpy as jnp
import optax
from flax import nnx


@nnx.jit
def train_step(model, optimizer, points, labels):
    def loss_fn(model):
        return optax.softmax_cross_entropy_with_integer_labels(model(points), labels).mean()

    loss, grads = nnx.value_and_grad(loss_fn)(model)
    optimizer.update(model, grads)
    return loss


points = jax.random.normal(jax.random.key(0), (256, 8))
labels = (points[:, 0] > 0).astype(int)
rngs = nnx.Rngs(0)
model = nnx.Linear(8, 2, param_dtype=jnp.bfloat16, rngs=rngs)
optimizer = nnx.Optimizer(model, optax.sgd(1e-3), wrt=nnx.Param)

for step in range(400):
    chosen = jax.random.randint(jax.random.key(step), (32,), 0, 256)
    loss = train_step(model, optimizer, points[chosen], labels[chosen])
