import jax
import jax.numpy as jnp
import optax
from flax import linen as nn
from flax.training.train_state import TrainState


class SimSiam(nn.Module):
    def setup(self):
        self.encoder = nn.Sequential([nn.Dense(48), nn.relu, nn.LayerNorm(), nn.Dense(16)])
        self.predictor = nn.Sequential([nn.Dense(12), nn.relu, nn.Dense(16)])

    def __call__(self, a, b):
        za, zb = self.encoder(a), self.encoder(b)
        return self.predictor(za), self.predictor(zb), za, zb


def cosine(p, z):
    z = jax.lax.stop_gradient(z)
    return -jnp.mean(optax.cosine_similarity(p, z, epsilon=1e-6))


@jax.jit
def step(state, x, key):
    ka, kb = jax.random.split(key)
    a = x + 0.4 * jax.random.normal(ka, x.shape)
    b = x + 0.4 * jax.random.normal(kb, x.shape)

    def loss_fn(params):
        pa, pb, za, zb = state.apply_fn({"params": params}, a, b)
        return 0.5 * cosine(pa, zb) + 0.5 * cosine(pb, za)

    loss, grads = jax.value_and_grad(loss_fn)(state.params)
    return state.apply_gradients(grads=grads), loss


key = jax.random.PRNGKey(2)
x = jax.random.normal(jax.random.PRNGKey(3), (12, 24))[jnp.arange(384) % 12] + 0.3 * jax.random.normal(jax.random.PRNGKey(4), (384, 24))
model = SimSiam()
state = TrainState.create(apply_fn=model.apply, params=model.init(key, x[:2], x[:2])["params"], tx=optax.sgd(0.05, momentum=0.9))
for epoch in range(10):
    for i in range(0, 384, 64):
        key, sub = jax.random.split(key)
        state, loss = step(state, x[i:i + 64], sub)
    if epoch % 3 == 0:
        print(f"epoch {epoch} loss {loss:.4f}")
