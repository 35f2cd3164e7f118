import jax
import jax.numpy as jnp
import optax
from flax import nnx


class MothNet(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.inner = nnx.Linear(16, 32, rngs=rngs)
        self.norm = nnx.BatchNorm(32, momentum=0.9, rngs=rngs)
        self.drop = nnx.Dropout(0.3, rngs=rngs)
        self.head = nnx.Linear(32, 4, rngs=rngs)

    def __call__(self, x):
        return self.head(self.drop(nnx.relu(self.norm(self.inner(x)))))


def loss_fn(model, batch):
    logits = model(batch["x"])
    return optax.softmax_cross_entropy_with_integer_labels(logits, batch["y"]).mean(), logits


@nnx.jit
def train_step(model, optimizer, metrics, batch):
    (loss, logits), grads = nnx.value_and_grad(loss_fn, has_aux=True)(model, batch)
    metrics.update(loss=loss, logits=logits, labels=batch["y"])
    optimizer.update(model, grads)


@nnx.jit
def eval_step(model, batch):
    return jnp.mean(model(batch["x"]).argmax(-1) == batch["y"])


ks = jax.random.split(jax.random.key(3), 3)
y = jax.random.randint(ks[0], (320,), 0, 4)
x = 3.0 + 2.0 * (jax.random.normal(ks[1], (4, 16))[y] + 0.8 * jax.random.normal(ks[2], (320, 16)))
model = MothNet(nnx.Rngs(0))
optimizer = nnx.Optimizer(model, optax.adamw(5e-3), wrt=nnx.Param)
metrics = nnx.MultiMetric(loss=nnx.metrics.Average("loss"), accuracy=nnx.metrics.Accuracy())
for epoch in range(8):
    model.train()
    for i in range(0, 320, 32):
        train_step(model, optimizer, metrics, {"x": x[i:i + 32], "y": y[i:i + 32]})
    model.eval()
    print(epoch, {k: float(v) for k, v in metrics.compute().items()}, "eval", float(eval_step(model, {"x": x, "y": y})))
    metrics.reset()
