import jax
import jax.numpy as jnp
from jax import random

STEPS = 8


def value(params, at):
    return params["table"][at]


def td_loss(params, at, reward, after, done, discount=1.0):
    target = reward + discount * (1 - done) * value(params, after)
    return jnp.mean((target - value(params, at)) ** 2)


@jax.jit
def climb(key):
    k1, k2 = random.split(key)
    at = random.randint(k1, (256,), 1, STEPS)
    after = at + 2 * random.bernoulli(k2, 0.5, (256,)).astype(jnp.int32) - 1
    done = ((after == 0) | (after == STEPS)).astype(jnp.float32)
    return at, (after == STEPS).astype(jnp.float32), after, done


@jax.jit
def learn(params, batch, rate=0.3):
    loss, grads = jax.value_and_grad(td_loss)(params, *batch)
    return jax.tree.map(lambda p, g: p - rate * g, params, grads), loss


params = {"table": jnp.zeros(STEPS + 1)}
for i, key in enumerate(random.split(random.key(5), 4500)):
    params, loss = learn(params, climb(key))
    if i % 1500 == 1499:
        truth = jnp.arange(STEPS + 1) / STEPS
        print(f"update {i + 1} loss {loss:.5f} error of the values {jnp.abs(params['table'] - truth)[1:-1].mean():.4f}")
