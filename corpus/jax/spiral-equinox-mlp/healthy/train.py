import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import optax


def spirals(key, n):
    t = jr.uniform(key, (n,), minval=0.3, maxval=2.2)
    side = (jnp.arange(n) % 2).astype(jnp.float32)
    angle = 3 * t + jnp.pi * side
    return jnp.stack([t * jnp.cos(angle), t * jnp.sin(angle)], 1), side


def loss(model, points, side):
    score = jax.vmap(model)(points)
    return optax.sigmoid_binary_cross_entropy(score, side).mean()


@eqx.filter_jit
def make_step(model, opt_state, points, side):
    value, grads = eqx.filter_value_and_grad(loss)(model, points, side)
    updates, opt_state = optim.update(grads, opt_state, eqx.filter(model, eqx.is_inexact_array))
    return eqx.apply_updates(model, updates), opt_state, value


points, side = spirals(jr.PRNGKey(0), 400)
model = eqx.nn.MLP(2, "scalar", 48, 2, key=jr.PRNGKey(1))
optim = optax.adamw(1e-2)
opt_state = optim.init(eqx.filter(model, eqx.is_inexact_array))
for i in range(300):
    model, opt_state, value = make_step(model, opt_state, points, side)
    if i % 60 == 59:
        right = jnp.mean((jax.vmap(model)(points) > 0) == (side > 0.5))
        print(f"step {i + 1} loss {value:.4f} right {right:.3f}")
