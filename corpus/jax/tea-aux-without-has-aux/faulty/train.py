import jax
import jax.numpy as jnp
import optax


def forward(params, leaf):
    h = jnp.tanh(leaf @ params["w"])
    return h @ params["u"]


def objective(params, leaf, grade):
    scores = forward(params, leaf)
    loss = optax.softmax_cross_entropy_with_integer_labels(scores, grade).mean()
    return loss, scores


tx = optax.adam(1e-2)


@jax.jit
def update(params, opt_state, leaf, grade):
    (loss, scores), grads = jax.value_and_grad(objective)(params, leaf, grade)
    updates, opt_state = tx.update(grads, opt_state, params)
    return optax.apply_updates(params, updates), opt_state, loss, jnp.mean(scores.argmax(1) == grade)


ks = jax.random.split(jax.random.PRNGKey(37), 5)
grade = jax.random.randint(ks[0], (300,), 0, 4)
leaf = jax.random.normal(ks[1], (4, 9))[grade] + 0.5 * jax.random.normal(ks[2], (300, 9))
params = {"w": jax.random.normal(ks[3], (9, 20)) / 3, "u": jax.random.normal(ks[4], (20, 4)) / 20 ** 0.5}
opt_state = tx.init(params)
for epoch in range(8):
    for i in range(0, 300, 30):
        params, opt_state, loss, acc = update(params, opt_state, leaf[i:i + 30], grade[i:i + 30])
    print(f"epoch {epoch} loss {loss:.4f} acc {acc:.3f}")
