import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import optax


def survey(key, n=512):
    where = jr.uniform(key, (n, 2), minval=-1, maxval=1)
    height = jnp.exp(-4 * (where[:, 0] ** 2 + (where[:, 1] - 0.3) ** 2)) + 0.3 * where[:, 0]
    return where, height


@eqx.filter_jit
def make_step(model, opt_state, where, height, update):
    @eqx.filter_value_and_grad
    def loss_fn(model):
        return jnp.mean((jax.vmap(model)(where) - height) ** 2)

    loss, grads = loss_fn(model)
    updates, opt_state = update(grads, opt_state)
    return eqx.apply_updates(model, updates), opt_state, loss


def main(seed=4, steps=500):
    data_key, model_key, loop_key = jr.split(jr.PRNGKey(seed), 3)
    where, height = survey(data_key)
    model = eqx.nn.MLP(in_size=2, out_size="scalar", width_size=32, depth=2, activation=jnp.tanh, key=model_key)
    optim = optax.adam(5e-3)
    opt_state = optim.init(eqx.filter(model, eqx.is_inexact_array))
    for step, key in enumerate(jr.split(loop_key, steps)):
        rows = jr.randint(key, (64,), 0, len(where))
        model, opt_state, loss = make_step(model, opt_state, where[rows], height[rows], optim.update)
        if step % 100 == 99:
            print(f"step {step + 1} loss {loss:.4f}")


main()
