"""The penalty is an argument; what else changes on `self` is not read in the step, or decides only what is printed."""

from functools import partial

import jax
import jax.numpy as jnp

x = jax.random.normal(jax.random.key(0), (32, 4))
y = x @ jnp.array([1.0, 0.0, -1.0, 0.5])


class Fit:
    def __init__(self):
        self.penalty = 0.0
        self.count = 0
        self.w = jnp.zeros(4)

    def loss(self, w, penalty):
        if self.count < 1:
            print("tracing")
        return jnp.mean((x @ w - y) ** 2) + penalty * jnp.sum(jnp.abs(w))

    @partial(jax.jit, static_argnums=0)
    def step(self, w, penalty):
        return w - 0.05 * jax.grad(self.loss)(w, penalty)


fit = Fit()
for at in range(20):
    fit.penalty = min(1.0, at / 10)
    fit.w = fit.step(fit.w, fit.penalty)
    fit.count += 1
