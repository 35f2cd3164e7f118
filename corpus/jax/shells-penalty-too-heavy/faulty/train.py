import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn
from flax.training.train_state import TrainState

L2 = 0.5


class ShellNet(nn.Module):
    @nn.compact
    def __call__(self, x):
        x = nn.relu(nn.Dense(32)(x))
        return nn.Dense(5)(x)


@jax.jit
def train_step(state, x, y):
    def loss_fn(params):
        logits = state.apply_fn({"params": params}, x)
        ce = optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()
        penalty = sum(jnp.sum(w ** 2) for w in jax.tree.leaves(params) if w.ndim > 1)
        return ce + L2 * penalty

    loss, grads = jax.value_and_grad(loss_fn)(state.params)
    return state.apply_gradients(grads=grads), loss


rng = np.random.default_rng(33)
y = rng.integers(0, 5, 350)
x = (rng.normal(size=(5, 12))[y] + 0.6 * rng.normal(size=(350, 12))).astype(np.float32)
net = ShellNet()
state = TrainState.create(apply_fn=net.apply, params=net.init(jax.random.PRNGKey(33), x[:1])["params"], tx=optax.adam(1e-2))
for epoch in range(10):
    for i in range(0, 350, 35):
        state, loss = train_step(state, x[i:i + 35], y[i:i + 35])
    if epoch % 3 == 0:
        print(f"epoch {epoch} loss {loss:.4f} acc {np.mean(np.argmax(net.apply({'params': state.params}, x), -1) == y):.3f}")
