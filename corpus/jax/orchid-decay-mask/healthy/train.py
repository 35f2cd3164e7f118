import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn, traverse_util


class Block(nn.Module):
    width: int

    @nn.compact
    def __call__(self, x):
        h = nn.LayerNorm()(x)
        h = nn.Dense(self.width * 2)(h)
        h = nn.Dense(self.width, kernel_init=nn.initializers.zeros)(nn.gelu(h))
        return x + h


class OrchidNet(nn.Module):
    @nn.compact
    def __call__(self, x):
        x = nn.Dense(24)(x)
        for _ in range(2):
            x = Block(24)(x)
        return nn.Dense(4)(nn.LayerNorm()(x))


def decay_mask(params):
    flat = traverse_util.flatten_dict(params)
    return traverse_util.unflatten_dict({path: path[-1] == "kernel" for path in flat})


rng = np.random.default_rng(65)
y = rng.integers(0, 4, 320)
x = (rng.normal(size=(4, 12))[y] + 0.8 * rng.normal(size=(320, 12))).astype(np.float32)
net = OrchidNet()
params = net.init(jax.random.PRNGKey(65), x[:1])["params"]
tx = optax.adamw(3e-3, weight_decay=1e-2, mask=decay_mask)
opt_state = tx.init(params)


@jax.jit
def step(params, opt_state, x, y):
    loss, grads = jax.value_and_grad(
        lambda p: optax.softmax_cross_entropy(net.apply({"params": p}, x), optax.smooth_labels(jax.nn.one_hot(y, 4), 0.1)).mean())(params)
    updates, opt_state = tx.update(grads, opt_state, params)
    return optax.apply_updates(params, updates), opt_state, loss


for epoch in range(8):
    for i in range(0, 320, 40):
        params, opt_state, loss = step(params, opt_state, x[i:i + 40], y[i:i + 40])
    print(f"epoch {epoch} loss {loss:.4f}")
