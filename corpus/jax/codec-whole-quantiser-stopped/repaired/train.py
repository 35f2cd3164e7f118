import jax
import jax.numpy as jnp
import optax
from flax import nnx


class Codec(nnx.Module):
    def __init__(self, dim, latent, codes, rngs):
        self.enc = nnx.Linear(dim, latent, rngs=rngs)
        self.dec1 = nnx.Linear(latent, 32, rngs=rngs)
        self.dec2 = nnx.Linear(32, dim, rngs=rngs)
        self.book = nnx.Param(0.5 * jax.random.normal(rngs.params(), (codes, latent)))

    def quantise(self, z):
        distance = jnp.sum((z[:, None, :] - self.book[...][None]) ** 2, axis=-1)
        nearest = self.book[...][jnp.argmin(distance, axis=1)]
        z_q = z + jax.lax.stop_gradient(nearest - z)
        codebook = jnp.mean((nearest - jax.lax.stop_gradient(z)) ** 2)
        return z_q, codebook

    def __call__(self, x):
        z_q, codebook = self.quantise(self.enc(x))
        return self.dec2(nnx.relu(self.dec1(z_q))), codebook


def loss_fn(codec, x):
    out, codebook = codec(x)
    return jnp.mean((out - x) ** 2) + codebook


@nnx.jit
def step(codec, optimizer, x):
    loss, grads = nnx.value_and_grad(loss_fn)(codec, x)
    optimizer.update(codec, grads)
    return loss


k1, k2, k3 = jax.random.split(jax.random.key(33), 3)
words = jax.random.normal(k1, (16, 3)) @ jax.random.normal(k2, (3, 30))
x = words[jax.random.randint(k3, (512,), 0, 16)]
x = x / x.std() + 0.5 * jax.random.normal(jax.random.key(34), x.shape)
codec = Codec(30, 2, 16, nnx.Rngs(3))
optimizer = nnx.Optimizer(codec, optax.adam(1e-2), wrt=nnx.Param)
start = codec.enc.kernel[...].copy()
for epoch in range(24):
    for i in range(0, 512, 64):
        loss = step(codec, optimizer, x[i:i + 64])
    if epoch % 8 == 7:
        out, _ = codec(x)
        print(f"epoch {epoch} reconstruction {jnp.mean((out - x) ** 2):.4f} encoder moved by {jnp.abs(codec.enc.kernel[...] - start).mean():.4f}")
