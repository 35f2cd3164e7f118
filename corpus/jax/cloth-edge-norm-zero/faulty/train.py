import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import optax


class Drape(eqx.Module):
    net: eqx.nn.MLP

    def __init__(self, key):
        self.net = eqx.nn.MLP(2, 3, 24, 2, activation=jnp.tanh, key=key)

    def __call__(self, rest):
        return jax.vmap(self.net)(rest)


def distances(place):
    gap = place[:, None, :] - place[None, :, :]
    far = jnp.linalg.norm(gap, axis=-1)
    return far


def loss_fn(drape, rest, scan, wanted):
    place = drape(rest)
    shape = jnp.mean(jnp.sum((place - scan) ** 2, axis=-1))
    stretch = jnp.mean((distances(place) - wanted) ** 2)
    return shape + 0.1 * stretch


@eqx.filter_jit
def step(drape, opt_state, optim, rest, scan, wanted):
    loss, grads = eqx.filter_value_and_grad(loss_fn)(drape, rest, scan, wanted)
    updates, opt_state = optim.update(grads, opt_state, eqx.filter(drape, eqx.is_inexact_array))
    return eqx.apply_updates(drape, updates), opt_state, loss


rest = jnp.stack(jnp.meshgrid(jnp.linspace(-1, 1, 6), jnp.linspace(-1, 1, 6)), -1).reshape(-1, 2)
scan = jnp.concatenate([rest, 0.4 * jnp.sin(3 * rest[:, :1])], axis=1)
wanted = jnp.sqrt(jnp.sum((scan[:, None] - scan[None]) ** 2, -1))
drape = Drape(jr.PRNGKey(1))
optim = optax.adam(1e-2)
opt_state = optim.init(eqx.filter(drape, eqx.is_inexact_array))
for i in range(200):
    drape, opt_state, loss = step(drape, opt_state, optim, rest, scan, wanted)
    if i in (0, 1, 50, 100, 199):
        print(i, loss)
