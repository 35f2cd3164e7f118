import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

CLASSES = 5


def read_table(n=300, seed=6):
    rng = np.random.default_rng(seed)
    species = rng.integers(1, CLASSES + 1, n)
    petals = rng.normal(size=(CLASSES + 1, 4))[species] + 0.3 * rng.normal(size=(n, 4))
    return {"petals": petals.astype(np.float32), "species": species - 1}


class FloraNet(nnx.Module):
    def __init__(self, rngs):
        self.layers = nnx.List([nnx.Linear(4, 24, rngs=rngs), nnx.Linear(24, 24, rngs=rngs)])
        self.out = nnx.Linear(24, CLASSES, rngs=rngs)

    def __call__(self, x):
        for layer in self.layers:
            x = nnx.tanh(layer(x))
        return self.out(x)


def loss_fn(model, batch):
    logits = model(batch["petals"])
    loss = optax.softmax_cross_entropy_with_integer_labels(logits, batch["species"]).mean()
    return loss, logits


@nnx.jit
def train_step(model, optimizer, metrics, batch):
    (loss, logits), grads = nnx.value_and_grad(loss_fn, has_aux=True)(model, batch)
    metrics.update(loss=loss, logits=logits, labels=batch["species"])
    optimizer.update(model, grads)


table = read_table()
model = FloraNet(nnx.Rngs(6))
optimizer = nnx.Optimizer(model, optax.adam(1e-2), wrt=nnx.Param)
metrics = nnx.MultiMetric(accuracy=nnx.metrics.Accuracy(), loss=nnx.metrics.Average("loss"))
for epoch in range(8):
    for i in range(0, 300, 30):
        train_step(model, optimizer, metrics, {k: jnp.asarray(v[i:i + 30]) for k, v in table.items()})
    print(epoch, {k: float(v) for k, v in metrics.compute().items()})
    metrics.reset()
