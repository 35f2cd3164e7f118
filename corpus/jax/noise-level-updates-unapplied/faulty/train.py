import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn


class NoiseModel(nn.Module):
    @nn.compact
    def __call__(self, x):
        x = nn.relu(nn.Dense(24)(x))
        return nn.Dense(1)(x)[:, 0]


model = NoiseModel()
optimizer = optax.chain(optax.clip_by_global_norm(5.0), optax.adam(1e-2))


@jax.jit
def train_step(params, opt_state, x, level):
    def mse(p):
        return jnp.mean((model.apply({"params": p}, x) - level) ** 2)

    loss, grads = jax.value_and_grad(mse)(params)
    updates, opt_state = optimizer.update(grads, opt_state, params)
    return params, opt_state, loss


rng = np.random.default_rng(19)
roads = rng.normal(size=(384, 7)).astype(np.float32)
level = (roads[:, 0] - np.abs(roads[:, 3]) + 0.1 * rng.normal(size=384)).astype(np.float32)
params = model.init(jax.random.key(19), roads[:1])["params"]
opt_state = optimizer.init(params)
for epoch in range(20):
    for i in range(0, 384, 48):
        params, opt_state, loss = train_step(params, opt_state, roads[i:i + 48], level[i:i + 48])
    if epoch % 5 == 4:
        print(f"epoch {epoch} loss {loss:.4f}")
