"""A penalty that is to be raised after a warm-up, in a method whose `self` is static."""

from functools import partial

import jax
import jax.numpy as jnp

x = jax.random.normal(jax.random.key(0), (32, 4))
y = x @ jnp.array([1.0, 0.0, -1.0, 0.5])


class Fit:
    def __init__(self):
        self.penalty = 0.0
        self.w = jnp.zeros(4)

    def loss(self, w):
        return jnp.mean((x @ w - y) ** 2) + self.penalty * jnp.sum(jnp.abs(w))  # WG706

    @partial(jax.jit, static_argnums=0)
    def step(self, w):
        return w - 0.05 * jax.grad(self.loss)(w)


fit = Fit()
for at in range(20):
    fit.penalty = min(1.0, at / 10)
    fit.w = fit.step(fit.w)
