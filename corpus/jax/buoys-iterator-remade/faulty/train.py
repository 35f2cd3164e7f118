import jax
import jax.numpy as jnp
import optax
from flax import nnx

from buoys import batches, load

class WaveNet(nnx.Module):
    def __init__(self, rngs):
        self.l1 = nnx.Linear(12, 48, rngs=rngs)
        self.l2 = nnx.Linear(48, 1, rngs=rngs)

    def __call__(self, wave):
        return self.l2(nnx.relu(self.l1(wave)))[:, 0]


@nnx.jit
def train_step(model, optimizer, wave, height):
    def loss_fn(model):
        return jnp.mean((model(wave) - height) ** 2)

    loss, grads = nnx.value_and_grad(loss_fn)(model)
    optimizer.update(model, grads)
    return loss


data, held_back = load(600), load(200, seed=1)
model = WaveNet(nnx.Rngs(0))
optimizer = nnx.Optimizer(model, optax.adam(3e-3), wrt=nnx.Param)
for step in range(400):
    wave, height = next(batches(data, 20))
    loss = train_step(model, optimizer, wave, height)
    if step % 100 == 99:
        print(f"step {step + 1} loss {loss:.4f} on other buoys {jnp.mean((model(held_back[0]) - held_back[1]) ** 2):.4f}")
