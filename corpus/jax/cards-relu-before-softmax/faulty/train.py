import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn
from flax.training.train_state import TrainState


class SuitNet(nn.Module):
    widths: tuple = (24, 10)

    @nn.compact
    def __call__(self, x):
        for width in self.widths:
            x = nn.Dense(width)(x)
            x = nn.relu(x)
        return x


@jax.jit
def step(state, card, suit):
    def loss_fn(params):
        return optax.softmax_cross_entropy_with_integer_labels(state.apply_fn(params, card), suit).mean()

    loss, grads = jax.value_and_grad(loss_fn)(state.params)
    return state.apply_gradients(grads=grads), loss


rng = np.random.default_rng(52)
suit = rng.integers(0, 10, 500)
card = (rng.normal(size=(10, 14))[suit] + 0.5 * rng.normal(size=(500, 14))).astype(np.float32)
net = SuitNet()
state = TrainState.create(apply_fn=net.apply, params=net.init(jax.random.PRNGKey(4), card[:1]), tx=optax.sgd(0.3, momentum=0.9))
for epoch in range(10):
    for i in range(0, 500, 50):
        state, loss = step(state, card[i:i + 50], suit[i:i + 50])
    guess = np.argmax(net.apply(state.params, card), -1)
    if epoch % 3 == 0:
        print(f"epoch {epoch} loss {loss:.4f} acc {np.mean(guess == suit):.3f} classes chosen {len(set(guess.tolist()))}")
