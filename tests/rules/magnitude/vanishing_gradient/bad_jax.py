import jax
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
hidden = [layer for _ in range(10) for layer in (nnx.Linear(16, 16, rngs=rngs), nnx.sigmoid)]
model = nnx.Sequential(nnx.Linear(8, 16, rngs=rngs), nnx.sigmoid, *hidden, nnx.Linear(16, 2, rngs=rngs))
optimizer = nnx.Optimizer(model, optax.sgd(0.5), wrt=nnx.Param)

for step in range(150):
    chosen = jax.random.randint(jax.random.key(step), (64,), 0, 256)
    loss = train_step(model, optimizer, points[chosen], labels[chosen])
