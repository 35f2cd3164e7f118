import jax
import jax.numpy as jnp
import numpy as np
import optax


def net(params, x):
    h = jax.nn.relu(x @ params["w1"] + params["b1"])
    return h @ params["w2"] + params["b2"]


def loss_fn(params, x, y):
    return optax.softmax_cross_entropy_with_integer_labels(net(params, x), y).mean()


def attack(params, x, y, size):
    return jax.lax.stop_gradient(x + size * jnp.sign(jax.grad(loss_fn, argnums=1)(params, x, y)))


class Trainer:
    def __init__(self, key, rate=5e-3):
        k1, k2 = jax.random.split(key)
        self.params = {"w1": jax.random.normal(k1, (15, 32)) / 15 ** 0.5, "b1": jnp.zeros(32), "w2": jax.random.normal(k2, (32, 3)) / 32 ** 0.5, "b2": jnp.zeros(3)}
        self.tx = optax.adam(rate)
        self.state = self.tx.init(self.params)
        self._step = jax.jit(self.step)

    def step(self, params, state, x, y):
        def both(p):
            return 0.5 * loss_fn(p, x, y) + 0.5 * loss_fn(p, attack(p, x, y, 0.1), y)

        loss, grads = jax.value_and_grad(both)(params)
        updates, state = self.tx.update(grads, state)
        return optax.apply_updates(params, updates), state, loss

    def __call__(self, x, y):
        self.params, self.state, loss = self._step(self.params, self.state, x, y)
        return loss


rng = np.random.default_rng(11)
y = rng.integers(0, 3, 360)
x = (rng.normal(size=(3, 15))[y] + 0.7 * rng.normal(size=(360, 15))).astype(np.float32)
trainer = Trainer(jax.random.PRNGKey(11))
for epoch in range(8):
    for i in range(0, 360, 36):
        loss = trainer(x[i:i + 36], y[i:i + 36])
    if epoch % 2:
        print(f"epoch {epoch} loss {loss:.4f}")
