import jax
import jax.numpy as jnp
import optax
from flax import linen as nn
from flax.training.train_state import TrainState


class TraceNet(nn.Module):
    dtype: jnp.dtype = jnp.float16

    @nn.compact
    def __call__(self, trace):
        h = nn.Conv(8, (5,), dtype=self.dtype)(trace[..., None])
        h = h.astype(jnp.float32)
        energy = jnp.sum(h * h, axis=1, dtype=jnp.float32)
        power = energy / trace.shape[1]
        h = nn.relu(nn.Dense(16)(jnp.log1p(power)))
        return nn.Dense(1)(h)[:, 0]


@jax.jit
def train_step(state, trace, magnitude):
    def loss_fn(params):
        out = state.apply_fn({"params": params}, trace)
        return jnp.mean(jnp.square(out - magnitude))

    loss, grads = jax.value_and_grad(loss_fn)(state.params)
    return state.apply_gradients(grads=grads), loss


k1, k2, k3 = jax.random.split(jax.random.key(7), 3)
magnitude = jax.random.uniform(k1, (192,), minval=0.0, maxval=3.0)
trace = 3.0 * jnp.exp(magnitude)[:, None] * jax.random.normal(k2, (192, 200))
net = TraceNet()
state = TrainState.create(apply_fn=net.apply, params=net.init(k3, trace[:1])["params"], tx=optax.adam(1e-2))
for epoch in range(10):
    for i in range(0, 192, 32):
        state, loss = train_step(state, trace[i:i + 32], magnitude[i:i + 32])
    if epoch % 3 == 0:
        print(f"epoch {epoch} loss {loss:.4f}")
