import jax
import jax.numpy as jnp
import numpy as np


def lift(params, flight):
    w1, b1, w2, b2 = params
    return jnp.tanh(flight @ w1 + b1) @ w2 + b2


def cost(params, flight, force):
    return jnp.mean((lift(params, flight) - force) ** 2)


def sgd(params, grads, rate):
    for p, g in zip(params, grads):
        p -= rate * g


cost_and_grad = jax.jit(jax.value_and_grad(cost))

rng = np.random.RandomState(12)
flight = rng.uniform(-1, 1, (256, 3)).astype(np.float32)
force = (flight[:, :1] ** 2 - flight[:, 1:2] * flight[:, 2:]).astype(np.float32)
params = [jnp.asarray(rng.randn(3, 20) * 0.6, jnp.float32), jnp.zeros(20), jnp.asarray(rng.randn(20, 1) * 0.2, jnp.float32), jnp.zeros(1)]
for epoch in range(40):
    for i in range(0, 256, 32):
        value, grads = cost_and_grad(params, flight[i:i + 32], force[i:i + 32])
        sgd(params, grads, rate=0.2)
    if epoch % 10 == 9:
        print("epoch", epoch, "cost", float(cost(params, flight, force)))
