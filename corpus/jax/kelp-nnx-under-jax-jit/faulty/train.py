import jax
import jax.numpy as jnp
import optax
from flax import nnx


class KelpNet(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(3, 8, kernel_size=(3, 3), rngs=rngs)
        self.head = nnx.Linear(8, 2, rngs=rngs)

    def __call__(self, patch):
        h = nnx.relu(self.conv(patch))
        return self.head(h.mean(axis=(1, 2)))


@jax.jit
def train_step(model, optimizer, patch, kelp):
    def loss_fn(model):
        return optax.softmax_cross_entropy_with_integer_labels(model(patch), kelp).mean()

    loss, grads = nnx.value_and_grad(loss_fn)(model)
    optimizer.update(model, grads)
    return loss


k1, k2 = jax.random.split(jax.random.key(6))
kelp = jax.random.bernoulli(k1, 0.5, (320,)).astype(jnp.int32)
patch = jax.random.normal(k2, (320, 6, 6, 3)) + kelp[:, None, None, None] * jnp.array([0.5, -0.5, 0.2])
model = KelpNet(nnx.Rngs(0))
optimizer = nnx.Optimizer(model, optax.adam(1e-2), wrt=nnx.Param)
for epoch in range(10):
    for i in range(0, 320, 32):
        loss = train_step(model, optimizer, patch[i:i + 32], kelp[i:i + 32])
    if epoch % 3 == 0:
        print(f"epoch {epoch} loss {loss:.4f} acc {jnp.mean(model(patch).argmax(-1) == kelp):.3f}")
