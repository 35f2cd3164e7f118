import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn
from flax.training.train_state import TrainState


class Counter(nn.Module):
    @nn.compact
    def __call__(self, image):
        h = nn.relu(nn.Conv(8, (3, 3))(image))
        return nn.Dense(1)(h.sum(axis=(1, 2)))[:, 0]


@jax.jit
def train_step(state, image, cells):
    def loss_fn(params):
        count = state.apply_fn({"params": params}, image)
        return optax.huber_loss(count, cells)

    loss, grads = jax.value_and_grad(loss_fn)(state.params)
    return state.apply_gradients(grads=grads), loss


rng = np.random.default_rng(70)
image = (rng.random((256, 8, 8, 1)) < 0.15).astype(np.float32)
cells = image.sum((1, 2, 3))
model = Counter()
state = TrainState.create(apply_fn=model.apply, params=model.init(jax.random.key(70), image[:1])["params"], tx=optax.adam(1e-2))
for epoch in range(10):
    for i in range(0, 256, 32):
        state, loss = train_step(state, image[i:i + 32], cells[i:i + 32])
    print(f"epoch {epoch} loss {loss:.4f}")
