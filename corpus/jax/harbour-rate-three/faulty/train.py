import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn


class Detector(nn.Module):
    @nn.compact
    def __call__(self, x):
        x = nn.relu(nn.Conv(8, (3, 3))(x))
        x = nn.relu(nn.Conv(8, (3, 3), strides=2)(x))
        return nn.Dense(4)(x.reshape(x.shape[0], -1))


rng = np.random.default_rng(100)
ship = rng.integers(0, 4, 256)
water = (rng.normal(size=(4, 8, 8, 1))[ship] + 0.9 * rng.normal(size=(256, 8, 8, 1))).astype(np.float32)
model = Detector()
optimizer = optax.adam(learning_rate=3.0)
params = model.init(jax.random.PRNGKey(0), water[:1])
opt_state = optimizer.init(params)


@jax.jit
def step(params, opt_state, x, y):
    def loss_fn(p):
        return optax.softmax_cross_entropy_with_integer_labels(model.apply(p, x), y).mean()

    loss, grads = jax.value_and_grad(loss_fn)(params)
    updates, opt_state = optimizer.update(grads, opt_state, params)
    return optax.apply_updates(params, updates), opt_state, loss


for epoch in range(8):
    for i in range(0, 256, 32):
        params, opt_state, loss = step(params, opt_state, water[i:i + 32], ship[i:i + 32])
    right = np.mean(np.argmax(model.apply(params, water), -1) == ship)
    print(f"epoch {epoch} loss {loss:.3f} right {right:.3f}")
