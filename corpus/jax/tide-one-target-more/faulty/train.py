import jax
import jax.numpy as jnp
import optax


def windows(series, width):
    x = jnp.stack([series[i:i + width] for i in range(len(series) - width)])
    y = series[width - 1:]
    return x, y


def forward(params, x):
    h = jnp.tanh(x @ params["in"] + params["in_bias"])
    return h @ params["out"] + params["out_bias"]


def loss_fn(params, x, y):
    return optax.l2_loss(forward(params, x), y).mean()


def main():
    t = jnp.arange(400) / 6.0
    series = jnp.sin(t) + 0.4 * jnp.cos(1.9 * t)
    x, y = windows(series, 12)
    k1, k2 = jax.random.split(jax.random.key(4))
    params = {"in": 0.3 * jax.random.normal(k1, (12, 20)), "in_bias": jnp.zeros(20),
              "out": 0.3 * jax.random.normal(k2, (20,)), "out_bias": jnp.zeros(())}
    tx = optax.adam(1e-2)
    opt_state = tx.init(params)

    @jax.jit
    def step(params, opt_state):
        loss, grads = jax.value_and_grad(loss_fn)(params, x, y)
        updates, opt_state = tx.update(grads, opt_state)
        return optax.apply_updates(params, updates), opt_state, loss

    for i in range(200):
        params, opt_state, loss = step(params, opt_state)
        if i % 50 == 0:
            print(i, loss)


main()
