import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import optax


@jax.custom_vjp
def to_grid(x):
    return jnp.round(x * 4) / 4


def to_grid_fwd(x):
    return to_grid(x), None


def to_grid_bwd(_, g):
    return (g,)


to_grid.defvjp(to_grid_fwd, to_grid_bwd)


class Coder(eqx.Module):
    enc: eqx.nn.Linear
    dec: eqx.nn.MLP

    def __init__(self, key):
        a, b = jr.split(key)
        self.enc = eqx.nn.Linear(16, 2, key=a)
        self.dec = eqx.nn.MLP(2, 16, 48, 2, key=b)

    def __call__(self, vase):
        return self.dec(to_grid(jnp.tanh(self.enc(vase))))


@eqx.filter_jit
def step(coder, opt_state, vases):
    loss, grads = eqx.filter_value_and_grad(lambda c: jnp.mean((jax.vmap(c)(vases) - vases) ** 2))(coder)
    updates, opt_state = optim.update(grads, opt_state)
    return eqx.apply_updates(coder, updates), opt_state, loss


k = jr.split(jr.key(73), 3)
mix = jr.normal(k[0], (2, 16)) * jnp.array([1.0, 1.0])[:, None]
vases = jr.normal(k[1], (512, 2)) @ mix + 0.7 * jr.normal(k[2], (512, 16))
coder = Coder(jr.key(74))
optim = optax.adam(5e-3)
opt_state = optim.init(eqx.filter(coder, eqx.is_inexact_array))
for epoch in range(30):
    for i in range(0, 512, 64):
        coder, opt_state, loss = step(coder, opt_state, vases[i:i + 64])
    if epoch % 10 == 9:
        print(f"epoch {epoch} loss {loss:.4f}")
