import jax
import jax.numpy as jnp
import optax
from jax import random


def init(key, depth=10, width=24):
    sizes = [4] + [width] * depth + [1]
    keys = random.split(key, len(sizes) - 1)
    return [(random.normal(k, (a, b)) / a ** 0.5, jnp.zeros(b)) for k, a, b in zip(keys, sizes, sizes[1:])]


def tower(params, x):
    for w, b in params[:-1]:
        x = jax.nn.sigmoid(x @ w + b)
    w, b = params[-1]
    return (x @ w + b)[:, 0]


tx = optax.sgd(0.05, momentum=0.9)


@jax.jit
def epoch_of_steps(params, opt_state, x, y):
    def body(carry, batch):
        params, opt_state = carry
        loss, grads = jax.value_and_grad(lambda p: jnp.mean((tower(p, batch[0]) - batch[1]) ** 2))(params)
        updates, opt_state = tx.update(grads, opt_state)
        return (optax.apply_updates(params, updates), opt_state), loss

    (params, opt_state), losses = jax.lax.scan(body, (params, opt_state), (x.reshape(-1, 40, 4), y.reshape(-1, 40)))
    return params, opt_state, losses.mean()


k1, k2 = random.split(random.PRNGKey(25))
x = random.normal(k1, (400, 4))
y = x[:, 0] - 0.5 * x[:, 1] * x[:, 2]
params = init(k2)
opt_state = tx.init(params)
for epoch in range(60):
    params, opt_state, loss = epoch_of_steps(params, opt_state, x, y)
    if epoch % 15 == 14:
        print(f"epoch {epoch} loss {loss:.4f} variance {y.var():.4f}")
