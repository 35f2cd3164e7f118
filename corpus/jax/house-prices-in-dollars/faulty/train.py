import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn
from flax.training.train_state import TrainState


class PriceNet(nn.Module):
    @nn.compact
    def __call__(self, x):
        for width in (32, 16):
            x = nn.relu(nn.Dense(width)(x))
        return nn.Dense(1)(x).squeeze(-1)


def houses(seed, n=500):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 5))
    price = 250_000 + 90_000 * x[:, 0] + 40_000 * x[:, 1] * x[:, 2] + 5_000 * rng.normal(size=n)
    return x.astype(np.float32), price.astype(np.float32)


@jax.jit
def train_step(state, x, y):
    def loss_fn(p):
        return jnp.mean((state.apply_fn(p, x) - y) ** 2)

    loss, grads = jax.value_and_grad(loss_fn)(state.params)
    return state.apply_gradients(grads=grads), loss


x, price = houses(3)
net = PriceNet()
state = TrainState.create(apply_fn=net.apply, params=net.init(jax.random.PRNGKey(3), x[:1]), tx=optax.adam(1e-2))
for epoch in range(20):
    for i in range(0, 500, 50):
        state, loss = train_step(state, x[i:i + 50], price[i:i + 50])
guess = np.asarray(net.apply(state.params, x))
unexplained = np.mean((guess - price) ** 2) / price.var()
print("loss", float(loss), "unexplained share of the variance", round(float(unexplained), 3))
print("first predictions", guess[:4], "prices", price[:4])
