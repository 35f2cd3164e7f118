import jax
import jax.numpy as jnp
import optax


def dense(key, n_in, n_out):
    return {"w": jax.random.normal(key, (n_in, n_out)) * (1 / n_in) ** 0.5, "b": jnp.zeros((n_out,))}


def trunk_fn(trunk, x):
    return jnp.tanh(x @ trunk["w"] + trunk["b"])


def head_fn(head, h):
    return h @ head["w"] + head["b"]


def loss_fn(trunk, head, x, y):
    logits = head_fn(head, trunk_fn(trunk, x))
    return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()


ks = jax.random.split(jax.random.key(81), 5)
y = jax.random.randint(ks[0], (400,), 0, 5)
x = 0.3 * jax.random.normal(ks[1], (400, 25)) + jnp.pad(jax.random.normal(ks[2], (5, 5)), ((0, 0), (0, 20)))[y]
trunk, head = dense(ks[3], 25, 3), dense(ks[4], 3, 5)
tx = optax.adam(1e-2)
opt_state = tx.init((trunk, head))


@jax.jit
def step(trunk, head, opt_state, x, y):
    loss, (g_trunk, g_head) = jax.value_and_grad(loss_fn, argnums=(0, 1))(trunk, head, x, y)
    updates, opt_state = tx.update((g_trunk, g_head), opt_state, (trunk, head))
    trunk, head = optax.apply_updates((trunk, head), updates)
    return trunk, head, opt_state, loss


for epoch in range(40):
    for i in range(0, 400, 50):
        trunk, head, opt_state, loss = step(trunk, head, opt_state, x[i:i + 50], y[i:i + 50])
    if epoch % 10 == 9:
        acc = jnp.mean(head_fn(head, trunk_fn(trunk, x)).argmax(1) == y)
        print(f"epoch {epoch} loss {loss:.3f} acc {acc:.3f}")
