import jax
import jax.numpy as jnp
import optax


def travel_time(params, road):
    for w, b in params[:-1]:
        road = jax.nn.relu(road @ w + b)
    w, b = params[-1]
    return (road @ w + b)[:, 0]


def init(key, sizes):
    keys = jax.random.split(key, len(sizes))
    return [(jax.random.normal(k, (a, b)) * (2 / a) ** 0.5, jnp.zeros(b)) for k, a, b in zip(keys, sizes, sizes[1:])]


data_key, noise_key, model_key, key = jax.random.split(jax.random.PRNGKey(20), 4)
x = jax.random.normal(data_key, (1200, 8))
y = x[:, 0] * 2 - jnp.abs(x[:, 1]) + 0.5 * x[:, 2] * x[:, 3] + 0.1 * jax.random.normal(noise_key, (1200,))
x, y, x_test, y_test = x[:1000], y[:1000], x[1000:], y[1000:]
params = init(model_key, [8, 64, 64, 1])
tx = optax.adam(3e-3)
opt_state = tx.init(params)


@jax.jit
def step(params, opt_state, key):
    rows = jax.random.choice(key, len(x), (16,))
    loss, grads = jax.value_and_grad(lambda p: jnp.mean((travel_time(p, x[rows]) - y[rows]) ** 2))(params)
    updates, opt_state = tx.update(grads, opt_state)
    return optax.apply_updates(params, updates), opt_state, loss


for i in range(800):
    key, batch_key = jax.random.split(key)
    params, opt_state, loss = step(params, opt_state, batch_key)
    if i % 200 == 199:
        test = jnp.mean((travel_time(params, x_test) - y_test) ** 2)
        print(f"step {i + 1} loss {loss:.4f} test {test:.4f}")
