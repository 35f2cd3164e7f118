import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn
from flax.training.train_state import TrainState


class InvoiceNet(nn.Module):
    @nn.compact
    def __call__(self, words):
        h = nn.Embed(50, 16)(words).mean(axis=1)
        return nn.Dense(3)(nn.relu(nn.Dense(24)(h)))


@jax.jit
def step(state, words, kind):
    def loss_fn(p):
        return optax.softmax_cross_entropy_with_integer_labels(state.apply_fn(p, words), kind).mean()

    loss, grads = jax.value_and_grad(loss_fn)(state.params)
    return state.apply_gradients(grads=grads), loss


rng = np.random.default_rng(1)
kind = rng.integers(0, 3, 384)
words = np.where(rng.random((384, 8)) < 0.5, kind[:, None] * 16 + rng.integers(0, 16, (384, 8)), rng.integers(0, 50, (384, 8)))
net = InvoiceNet()
tx = optax.MultiSteps(optax.adamw(1e-2), every_k_schedule=4)
state = TrainState.create(apply_fn=net.apply, params=net.init(jax.random.PRNGKey(1), words[:1]), tx=tx)
for epoch in range(12):
    order = rng.permutation(384)
    for rows in order.reshape(-1, 12):
        state, loss = step(state, words[rows], kind[rows])
    if epoch % 4 == 3:
        right = np.mean(np.argmax(net.apply(state.params, words), -1) == kind)
        print(f"epoch {epoch} right {right:.3f} updates made {int(state.opt_state.gradient_step)}")
