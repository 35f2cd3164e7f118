import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn
from flax.training import train_state


class RainModel(nn.Module):
    @nn.compact
    def __call__(self, x):
        for width in (32, 32):
            x = nn.silu(nn.Dense(width)(x))
        return nn.Dense(1)(x)


@jax.jit
def train_step(state, batch_x, batch_mm):
    def compute(params):
        predicted = state.apply_fn(params, batch_x).squeeze(-1)
        residual = predicted - batch_mm
        return jnp.mean(jnp.square(residual))

    loss, grads = jax.value_and_grad(compute)(state.params)
    return state.apply_gradients(grads=grads), loss


rng = np.random.default_rng(40)
weather = rng.normal(size=(512, 6)).astype(np.float32)
mm = (weather[:, 0] * weather[:, 1] + 2 * weather[:, 2] + 0.1 * rng.normal(size=512)).astype(np.float32)

model = RainModel()
state = train_state.TrainState.create(
    apply_fn=model.apply, params=model.init(jax.random.PRNGKey(40), weather[:2]), tx=optax.adam(1e-2))

for epoch in range(12):
    perm = rng.permutation(512)
    for rows in perm.reshape(-1, 64):
        state, loss = train_step(state, weather[rows], mm[rows])
    guess = np.asarray(model.apply(state.params, weather))[:, 0]
    r2 = 1 - np.mean((guess - mm) ** 2) / np.var(mm)
    if epoch % 3 == 2:
        print(f"epoch {epoch} loss {loss:.3f} R2 {r2:.3f}")
