import jax
import jax.numpy as jnp
import numpy as np
from jax.example_libraries import optimizers, stax
from jax.example_libraries.stax import Dense, Relu, Sigmoid

init_fun, forward = stax.serial(Dense(16), Relu, Dense(16), Relu, Dense(1), Sigmoid)
opt_init, opt_update, get_params = optimizers.adam(step_size=0.01)


def loss(params, x, y):
    p = forward(params, x)
    ce = y * jnp.log(p + 1e-7) + (1 - y) * jnp.log(1 - p + 1e-7)
    return -jnp.mean(ce)


@jax.jit
def step(i, opt_state, x, y):
    params = get_params(opt_state)
    value, g = jax.value_and_grad(loss)(params, x, y)
    return value, opt_update(i, g, opt_state)


def circles(rng, n):
    inner = rng.random(n) < 0.5
    angle = rng.uniform(0, 2 * np.pi, n)
    r = np.where(inner, 0.5, 1.0) + 0.1 * rng.normal(size=n)
    return np.stack([r * np.cos(angle), r * np.sin(angle)], 1).astype(np.float32), inner[:, None].astype(np.float32)


x, y = circles(np.random.default_rng(42), 400)
_, params = init_fun(jax.random.PRNGKey(2), (-1, 2))
opt_state = opt_init(params)
for i in range(300):
    value, opt_state = step(i, opt_state, x, y)
    if i % 100 == 99:
        acc = np.mean((np.asarray(forward(get_params(opt_state), x)) > 0.5) == y)
        print(f"step {i + 1} loss {value:.6f} acc {acc:.3f}")
