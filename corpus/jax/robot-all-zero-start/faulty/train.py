import jax
import jax.numpy as jnp
import optax


def init_params(sizes):
    return [{"w": jnp.zeros((n_in, n_out)), "b": jnp.zeros(n_out)} for n_in, n_out in zip(sizes[:-1], sizes[1:])]


def joint_angles(params, xy):
    *hidden, last = params
    for layer in hidden:
        xy = jnp.tanh(xy @ layer["w"] + layer["b"])
    return xy @ last["w"] + last["b"]


def loss_fn(params, xy, angles):
    return optax.huber_loss(joint_angles(params, xy), angles).mean()


def reach(key, n):
    angles = jax.random.uniform(key, (n, 2), minval=0.2, maxval=1.4)
    a, b = angles[:, 0], angles[:, 0] + angles[:, 1]
    return jnp.stack([jnp.cos(a) + jnp.cos(b), jnp.sin(a) + jnp.sin(b)], axis=1), angles


opt = optax.sgd(0.2, momentum=0.9)


@jax.jit
def train(params, opt_state, keys):
    def body(carry, key):
        params, opt_state = carry
        loss, grads = jax.value_and_grad(loss_fn)(params, *reach(key, 64))
        updates, opt_state = opt.update(grads, opt_state)
        return (optax.apply_updates(params, updates), opt_state), loss

    return jax.lax.scan(body, (params, opt_state), keys)


params = init_params([2, 32, 32, 2])
opt_state = opt.init(params)
for block, key in enumerate(jax.random.split(jax.random.key(0), 5)):
    (params, opt_state), losses = train(params, opt_state, jax.random.split(key, 100))
    print(f"after {100 * (block + 1)} steps loss {losses[-10:].mean():.5f}")
