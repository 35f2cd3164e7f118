import jax
import jax.numpy as jnp
import optax
from flax import nnx


@nnx.jit
def train_step(model, optimizer, points, labels):
    def loss_fn(model):
        guess = nnx.sigmoid(model(points))[:, 0]
        return jnp.mean((guess - labels) ** 2)

    loss, grads = nnx.value_and_grad(loss_fn)(model)
    optimizer.update(model, grads)
    return loss


points = jax.random.normal(jax.random.key(0), (200, 4))
labels = (points[:, 0] > 0).astype(jnp.float32)
rngs = nnx.Rngs(0)
model = nnx.Sequential(nnx.Linear(4, 8, rngs=rngs), nnx.tanh, nnx.Linear(8, 1, rngs=rngs))
optimizer = nnx.Optimizer(model, optax.sgd(0.5), wrt=nnx.Param)

for step in range(30):
    loss = train_step(model, optimizer, points, labels)
