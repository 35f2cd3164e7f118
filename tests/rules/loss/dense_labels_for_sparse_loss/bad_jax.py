import jax
import optax
from flax import nnx

flowers = jax.random.normal(jax.random.key(0), (150, 4))
species = jax.nn.one_hot(flowers[:, :3].argmax(axis=1), 3, dtype=int)


class Flowers(nnx.Module):
    def __init__(self, rngs):
        self.hidden = nnx.Linear(4, 16, rngs=rngs)
        self.scores = nnx.Linear(16, 3, rngs=rngs)

    def __call__(self, inputs):
        return self.scores(nnx.relu(self.hidden(inputs)))


model = Flowers(nnx.Rngs(0))
optimizer = nnx.Optimizer(model, optax.adam(0.01), wrt=nnx.Param)


@nnx.jit
def train_step(model, optimizer, inputs, labels):
    def loss_fn(model):
        return optax.softmax_cross_entropy_with_integer_labels(model(inputs), labels).mean()

    grads = nnx.grad(loss_fn)(model)
    optimizer.update(model, grads)


for step in range(30):
    train_step(model, optimizer, flowers, species)
