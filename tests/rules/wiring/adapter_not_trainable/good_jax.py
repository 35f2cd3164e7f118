import jax
import optax
from flax import nnx

points = jax.random.normal(jax.random.key(0), (128, 8))
labels = (points[:, 0] > 0).astype(int)


class Points(nnx.Module):
    def __init__(self, rngs):
        self.hidden = nnx.Linear(8, 16, rngs=rngs)
        self.adapter = nnx.LoRA(8, 2, 16, rngs=rngs)
        self.scores = nnx.Linear(16, 2, rngs=rngs)

    def __call__(self, points):
        return self.scores(nnx.relu(self.hidden(points) + self.adapter(points)))


model = Points(nnx.Rngs(0))
optimizer = nnx.Optimizer(model, optax.adam(0.01), wrt=nnx.LoRAParam)
adapters = nnx.DiffState(0, nnx.LoRAParam)


@nnx.jit
def train_step(model, optimizer, points, labels):
    def loss_fn(model):
        return optax.softmax_cross_entropy_with_integer_labels(model(points), labels).mean()

    grads = nnx.grad(loss_fn, argnums=adapters)(model)
    optimizer.update(model, grads)


for step in range(30):
    train_step(model, optimizer, points, labels)
