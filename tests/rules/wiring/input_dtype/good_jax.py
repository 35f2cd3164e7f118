import jax
import jax.numpy as jnp
import optax
from flax import nnx

words = jnp.floor(50 * jax.random.uniform(jax.random.key(0), (64, 8))).astype(int)
labels = (words[:, 0] > 24).astype(int)


class Classifier(nnx.Module):
    def __init__(self, rngs):
        self.words = nnx.Embed(50, 16, rngs=rngs)
        self.scores = nnx.Linear(16, 2, rngs=rngs)

    def __call__(self, words):
        return self.scores(self.words(words).mean(axis=1))


model = Classifier(nnx.Rngs(0))
optimizer = nnx.Optimizer(model, optax.adam(0.01), wrt=nnx.Param)


@nnx.jit
def train_step(model, optimizer, words, labels):
    def loss_fn(model):
        return optax.softmax_cross_entropy_with_integer_labels(model(words), labels).mean()

    grads = nnx.grad(loss_fn)(model)
    optimizer.update(model, grads)


for step in range(30):
    train_step(model, optimizer, words, labels)
