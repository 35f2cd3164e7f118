import jax
import optax
from flax import nnx

sounds = jax.random.normal(jax.random.key(0), (200, 12))
birds = sounds[:, :8].argmax(axis=1)  # 8 species


class Birds(nnx.Module):
    def __init__(self, rngs):
        self.hidden = nnx.Linear(12, 32, rngs=rngs)
        self.scores = nnx.Linear(32, 5, rngs=rngs)

    def __call__(self, inputs):
        return self.scores(nnx.relu(self.hidden(inputs)))


model = Birds(nnx.Rngs(0))
optimizer = nnx.Optimizer(model, optax.adam(0.01), wrt=nnx.Param)


@nnx.jit
def train_step(model, optimizer, inputs, labels):
    def loss_fn(model):
        return optax.softmax_cross_entropy_with_integer_labels(model(inputs), labels).mean()

    grads = nnx.grad(loss_fn)(model)
    optimizer.update(model, grads)


for step in range(30):
    train_step(model, optimizer, sounds, birds)
