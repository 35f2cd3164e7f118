import jax
import jax.numpy as jnp
import optax


def flow(params, place):
    h = place
    for w, b in params[:-1]:
        h = jnp.tanh(h @ w + b)
    w, b = params[-1]
    return (h @ w + b)[:, 0]


@jax.jit
def value_and_gradient(params, place, speed):
    return jax.value_and_grad(lambda p: jnp.mean((flow(p, place) - speed) ** 2))(params)


def layers(key, sizes):
    out = []
    for n_in, n_out in zip(sizes, sizes[1:]):
        key, sub = jax.random.split(key)
        out.append((jax.random.normal(sub, (n_in, n_out)) / n_in ** 0.5, jnp.zeros(n_out)))
    return out


key = jax.random.PRNGKey(16)
place = jax.random.uniform(key, (256, 2), minval=-1, maxval=1)
speed = jnp.sin(3 * place[:, 0]) * place[:, 1] + 0.5 * place[:, 0]
params = layers(jax.random.PRNGKey(17), [2, 24, 24, 1])
opt = optax.sgd(2e-3, momentum=0.98)
for step in range(800):
    loss, grads = value_and_gradient(params, place, speed)
    opt_state = opt.init(params)
    updates, opt_state = opt.update(grads, opt_state, params)
    params = optax.apply_updates(params, updates)
    if step % 200 == 199:
        print(f"step {step + 1} loss {loss:.5f}")
