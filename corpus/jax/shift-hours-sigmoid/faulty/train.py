import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx


class ShiftModel(nnx.Module):
    def __init__(self, rngs):
        self.first = nnx.Linear(5, 24, rngs=rngs)
        self.last = nnx.Linear(24, 1, rngs=rngs)

    def __call__(self, staff):
        h = nnx.gelu(self.first(staff))
        return nnx.sigmoid(self.last(h)).squeeze(-1)


def epoch_batches(staff, hours, size, rng):
    order = rng.permutation(len(hours))
    for rows in np.split(order, len(order) // size):
        yield jnp.asarray(staff[rows]), jnp.asarray(hours[rows])


@nnx.jit
def step(model, optimizer, staff, hours):
    def loss_fn(model):
        return jnp.mean(jnp.abs(model(staff) - hours))

    loss, grads = nnx.value_and_grad(loss_fn)(model)
    optimizer.update(model, grads)
    return loss


rng = np.random.default_rng(14)
staff = rng.normal(size=(500, 5)).astype(np.float32)
hours = np.clip(7 + 1.5 * staff[:, 0] - staff[:, 1] * staff[:, 2], 2, 12).astype(np.float32)
model = ShiftModel(nnx.Rngs(14))
optimizer = nnx.Optimizer(model, optax.adam(2e-2), wrt=nnx.Param)
for epoch in range(12):
    errors = [step(model, optimizer, s, h) for s, h in epoch_batches(staff, hours, 50, rng)]
    if epoch % 3 == 2:
        print(f"epoch {epoch} mean error {np.mean(errors):.3f} hours")
