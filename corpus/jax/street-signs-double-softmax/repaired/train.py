import jax
import jax.numpy as jnp
import optax
from flax import linen as nn
from flax.training.train_state import TrainState


class SignNet(nn.Module):
    signs: int = 12

    @nn.compact
    def __call__(self, x):
        x = nn.Conv(8, (3, 3))(x)
        x = nn.relu(x)
        x = nn.avg_pool(x, (2, 2), strides=(2, 2))
        x = x.reshape((x.shape[0], -1))
        x = nn.Dense(self.signs)(x)
        return x


def signs(key, n=480):
    k1, k2, k3 = jax.random.split(key, 3)
    proto = jax.random.normal(k1, (12, 8, 8, 1))
    y = jax.random.randint(k2, (n,), 0, 12)
    return proto[y] + 0.7 * jax.random.normal(k3, (n, 8, 8, 1)), y


@jax.jit
def step(state, x, y):
    def loss_fn(params):
        logits = state.apply_fn({"params": params}, x)
        return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()

    loss, grads = jax.value_and_grad(loss_fn)(state.params)
    return state.apply_gradients(grads=grads), loss


key = jax.random.PRNGKey(12)
x, y = signs(key)
net = SignNet()
state = TrainState.create(apply_fn=net.apply, params=net.init(key, x[:1])["params"], tx=optax.sgd(0.05))
for epoch in range(6):
    for i in range(0, 480, 40):
        state, loss = step(state, x[i:i + 40], y[i:i + 40])
    acc = jnp.mean(net.apply({"params": state.params}, x).argmax(-1) == y)
    print(f"epoch {epoch} loss {loss:.3f} acc {acc:.3f}")
