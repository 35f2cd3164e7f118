from functools import partial

import jax
import jax.numpy as jnp
import optax
from flax import linen as nn


class Wave(nn.Module):
    @nn.compact
    def __call__(self, t):
        h = nn.tanh(nn.Dense(32)(t))
        return nn.Dense(1)(nn.tanh(nn.Dense(32)(h)))


net = Wave()


def mse(params, t, v):
    return jnp.mean((net.apply(params, t) - v) ** 2)


def adapt(params, t, v, rate=0.1, steps=1):
    for _ in range(steps):
        grads = jax.grad(mse)(params, t, v)
        params = jax.tree.map(lambda p, g: p - rate * g, params, grads)
    return params


def meta_loss(params, tasks):
    def one(t1, v1, t2, v2):
        return mse(adapt(params, t1, v1), t2, v2)

    return jnp.mean(jax.vmap(one)(*tasks))


def sample(key, n=16, shots=10):
    ka, kp, k1, k2 = jax.random.split(key, 4)
    amplitude = jax.random.uniform(ka, (n, 1, 1), minval=0.5, maxval=2.0)
    phase = jax.random.uniform(kp, (n, 1, 1), maxval=3.1)
    t1, t2 = (jax.random.uniform(k, (n, shots, 1), minval=-2.0, maxval=2.0) for k in (k1, k2))
    return t1, amplitude * jnp.sin(2 * t1 + phase), t2, amplitude * jnp.sin(2 * t2 + phase)


@partial(jax.jit, static_argnames="tx")
def outer(params, opt_state, key, tx):
    loss, grads = jax.value_and_grad(meta_loss)(params, sample(key))
    updates, opt_state = tx.update(grads, opt_state)
    return optax.apply_updates(params, updates), opt_state, loss


params = jax.jit(net.init)(jax.random.PRNGKey(0), jnp.ones((1, 1)))
tx = optax.adam(3e-3)
opt_state = tx.init(params)
recent = []
for i, key in enumerate(jax.random.split(jax.random.PRNGKey(1), 120)):
    params, opt_state, loss = outer(params, opt_state, key, tx)
    recent.append(float(loss))
    if i % 40 == 39:
        print(f"iteration {i + 1} meta loss {sum(recent[-40:]) / 40:.4f}")
