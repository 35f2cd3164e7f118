from functools import partial

import jax
import jax.numpy as jnp
from jax import lax


def swing(params, t):
    stiffness, damping, amplitude = params
    return amplitude * jnp.exp(-damping * t) * jnp.cos(jnp.sqrt(stiffness) * t)


def misfit(params, t, seen):
    return jnp.mean((swing(params, t) - seen) ** 2)


@partial(jax.jit, static_argnames="steps")
def fit(params, t, seen, steps, rate=0.05):
    def body(params, _):
        loss, grads = jax.value_and_grad(misfit)(params, t, seen)
        return params - rate * grads, loss

    return lax.scan(body, params, None, length=steps)


t = jnp.linspace(0, 4, 120)
seen = swing(jnp.array([2.6, 0.3, 1.4]), t) + 0.02 * jax.random.normal(jax.random.PRNGKey(0), t.shape)
guess = jnp.array([2, 0, 1])
params, history = fit(guess, t, seen, steps=800)
print("first misfit", history[0], "last", history[-1], "found", params)
