import jax
import jax.numpy as jnp
import optax
from flax import linen as nn
from flax.training.train_state import TrainState


class RadarNet(nn.Module):
    dtype: jnp.dtype = jnp.bfloat16

    @nn.compact
    def __call__(self, echo):
        h = echo.astype(self.dtype)
        for width in (48, 48):
            h = nn.gelu(nn.LayerNorm(dtype=self.dtype)(nn.Dense(width, dtype=self.dtype)(h)))
        return nn.Dense(4, dtype=self.dtype)(h).astype(jnp.float32)


@jax.jit
def step(state, echo, target):
    def loss_fn(p):
        return optax.softmax_cross_entropy_with_integer_labels(state.apply_fn({"params": p}, echo), target).mean()

    loss, grads = jax.value_and_grad(loss_fn)(state.params)
    return state.apply_gradients(grads=grads), loss


ks = jax.random.split(jax.random.key(40), 4)
target = jax.random.randint(ks[0], (320,), 0, 4)
echo = jax.random.normal(ks[1], (4, 20))[target] + 0.9 * jax.random.normal(ks[2], (320, 20))
model = RadarNet()
state = TrainState.create(apply_fn=model.apply, params=model.init(ks[3], echo[:1])["params"], tx=optax.adam(3e-3))
for epoch in range(8):
    for i in range(0, 320, 40):
        state, loss = step(state, echo[i:i + 40], target[i:i + 40])
    print(f"epoch {epoch} loss {loss:.4f}")
