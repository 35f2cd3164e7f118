import jax
import jax.numpy as jnp
import optax
from flax import linen as nn
from flax.training.train_state import TrainState


class VAE(nn.Module):
    latent: int = 2

    def setup(self):
        self.enc = nn.Dense(32)
        self.mean, self.logvar = nn.Dense(self.latent), nn.Dense(self.latent)
        self.dec1, self.dec2 = nn.Dense(32), nn.Dense(20)

    def __call__(self, x, key):
        h = nn.relu(self.enc(x))
        mean, logvar = self.mean(h), self.logvar(h)
        z = mean + jnp.exp(0.5 * logvar) * jax.random.normal(key, mean.shape)
        return self.dec2(nn.relu(self.dec1(z))), mean, logvar


@jax.jit
def train_step(state, x, key):
    def loss_fn(params):
        out, mean, logvar = state.apply_fn({"params": params}, x, key)
        recon = jnp.sum((out - x) ** 2, axis=-1).mean()
        kl = -0.5 * jnp.sum(1 + logvar - mean ** 2 - jnp.exp(logvar), axis=-1).mean()
        return recon + 0.1 * kl, (recon, kl)

    (loss, parts), grads = jax.value_and_grad(loss_fn, has_aux=True)(state.params)
    return state.apply_gradients(grads=grads), parts


key = jax.random.PRNGKey(0)
k1, k2, key = jax.random.split(key, 3)
x = jnp.tanh(jax.random.normal(k1, (512, 2)) @ jax.random.normal(k2, (2, 20)))
model = VAE()
state = TrainState.create(apply_fn=model.apply, params=model.init(key, x[:1], key)["params"], tx=optax.adam(3e-3))
for epoch in range(15):
    for i in range(0, 512, 64):
        key, sub = jax.random.split(key)
        state, (recon, kl) = train_step(state, x[i:i + 64], sub)
    if epoch % 5 == 4:
        print(f"epoch {epoch} reconstruction {recon:.3f} kl {kl:.3f}")
