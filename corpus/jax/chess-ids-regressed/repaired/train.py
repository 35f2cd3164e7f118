import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import optax

OPENINGS = 8


def games(key, n):
    k1, k2, k3 = jr.split(key, 3)
    opening = jr.randint(k1, (n,), 0, OPENINGS)
    return jr.normal(k2, (OPENINGS, 20))[opening] + 0.9 * jr.normal(k3, (n, 20)), opening


def loss_fn(model, board, opening):
    out = jax.vmap(model)(board)
    return optax.softmax_cross_entropy_with_integer_labels(out, opening).mean()


def choose(model, board):
    return jnp.argmax(jax.vmap(model)(board), axis=-1)


@eqx.filter_jit
def step(model, opt_state, board, opening):
    loss, grads = eqx.filter_value_and_grad(loss_fn)(model, board, opening)
    updates, opt_state = optim.update(grads, opt_state)
    return eqx.apply_updates(model, updates), opt_state, loss


board, opening = games(jr.PRNGKey(68), 640)
model = eqx.nn.MLP(20, OPENINGS, 32, 1, key=jr.PRNGKey(69))
optim = optax.adam(5e-3)
opt_state = optim.init(eqx.filter(model, eqx.is_inexact_array))
for epoch in range(8):
    for i in range(0, 640, 64):
        model, opt_state, loss = step(model, opt_state, board[i:i + 64], opening[i:i + 64])
    print(f"epoch {epoch} loss {loss:.3f} right {jnp.mean(choose(model, board) == opening):.3f}")
