import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn


class MenuNet(nn.Module):
    @nn.compact
    def __call__(self, dishes):
        h = nn.Embed(40, 12)(dishes).mean(axis=1)
        h = nn.relu(nn.Dense(24)(h))
        return nn.Dense(4)(h)


net = MenuNet()
tx = optax.adamw(optax.warmup_cosine_decay_schedule(0.0, 2e-2, warmup_steps=20, decay_steps=240))


@jax.jit
def step(params, opt_state, dishes, kitchen):
    def loss_fn(p):
        return optax.softmax_cross_entropy_with_integer_labels(net.apply(p, dishes), kitchen).mean()

    loss, grads = jax.value_and_grad(loss_fn)(params)
    updates, opt_state = tx.update(grads, opt_state, params)
    return optax.apply_updates(params, updates), opt_state, loss


rng = np.random.default_rng(9)
kitchen = rng.integers(0, 4, 480)
dishes = np.where(rng.random((480, 6)) < 0.6, kitchen[:, None] * 10 + rng.integers(0, 10, (480, 6)), rng.integers(0, 40, (480, 6)))
params = net.init(jax.random.PRNGKey(9), dishes[:1])
opt_state = tx.init(params)
for epoch in range(16):
    for i in range(0, 480, 32):
        params, opt_state, loss = step(params, opt_state, dishes[i:i + 32], kitchen[i:i + 32])
    if epoch % 5 == 0:
        print(f"epoch {epoch} loss {loss:.4f}")
print("right", np.mean(np.argmax(net.apply(params, dishes), -1) == kitchen))
