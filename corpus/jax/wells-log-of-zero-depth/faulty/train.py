import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx


def load_wells(seed=2, n=400):
    rng = np.random.default_rng(seed)
    depth = np.maximum(rng.gamma(2.0, 10.0, n) - 3.0, 0.0)
    iron, ph = rng.gamma(1.5, 0.4, n), rng.normal(7, 0.5, n)
    quality = 0.6 * np.log1p(depth) - iron + 0.8 * (ph - 7) + 0.1 * rng.normal(size=n)
    with np.errstate(divide="ignore"):
        table = {"log_depth": np.log(depth), "iron": iron, "ph": ph - 7}
    return table, quality.astype(np.float32)


class WellNet(nnx.Module):
    def __init__(self, columns, rngs):
        self.hidden = nnx.Linear(columns, 16, rngs=rngs)
        self.out = nnx.Linear(16, 1, rngs=rngs)

    def __call__(self, x):
        return self.out(nnx.tanh(self.hidden(x)))[:, 0]


@nnx.jit
def fit(model, optimizer, x, y):
    loss, grads = nnx.value_and_grad(lambda m: optax.squared_error(m(x), y).mean())(model)
    optimizer.update(model, grads)
    return loss


table, quality = load_wells()
features = np.stack([table[c] for c in ("log_depth", "iron", "ph")], axis=1).astype(np.float32)
model = WellNet(3, nnx.Rngs(2))
optimizer = nnx.Optimizer(model, optax.adam(1e-2), wrt=nnx.Param)
for epoch in range(30):
    for i in range(0, 400, 40):
        loss = fit(model, optimizer, features[i:i + 40], quality[i:i + 40])
    if epoch % 10 == 9:
        print(f"epoch {epoch} loss {loss:.4f}")
