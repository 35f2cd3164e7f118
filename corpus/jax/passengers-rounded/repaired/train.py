from functools import partial

import jax
import jax.numpy as jnp
import numpy as np


class CountRegressor:
    def __init__(self, features, hidden=16, lr=0.02, seed=0):
        k1, k2 = jax.random.split(jax.random.PRNGKey(seed))
        self.lr = lr
        self.params = {"a": jax.random.normal(k1, (features, hidden)) / features ** 0.5, "c": jnp.zeros(hidden),
                       "d": jax.random.normal(k2, (hidden,)) / hidden ** 0.5, "e": jnp.asarray(1.0)}

    @staticmethod
    def predict(params, x):
        h = jnp.tanh(x @ params["a"] + params["c"])
        rate = h @ params["d"] + params["e"]
        return jax.nn.softplus(rate)

    @partial(jax.jit, static_argnums=0)
    def _update(self, params, x, y):
        loss, g = jax.value_and_grad(lambda p: jnp.mean((self.predict(p, x) - y) ** 2))(params)
        return jax.tree.map(lambda p, d: p - self.lr * d, params, g), loss

    def fit(self, x, y, epochs):
        for epoch in range(epochs):
            self.params, loss = self._update(self.params, x, y)
            if epoch % 100 == 99:
                print(f"epoch {epoch + 1} squared error {loss:.4f}")


rng = np.random.default_rng(60)
x = rng.normal(size=(300, 6)).astype(np.float32)
y = rng.poisson(np.exp(0.8 + 0.7 * x[:, 0] - 0.5 * x[:, 1])).astype(np.float32)
model = CountRegressor(6)
model.fit(x, y, 400)
print("variance of the counts", y.var())
