import jax
import jax.numpy as jnp
import optax

LR = 2e-2


def trunk_fn(p, x):
    return jax.nn.relu(x @ p["w"] + p["b"])


def forward(params, x):
    return trunk_fn(params["trunk"], x) @ params["head"]["w"] + params["head"]["b"]


def loss_fn(params, x, y):
    return optax.softmax_cross_entropy_with_integer_labels(forward(params, x), y).mean()


def make_params(key):
    k1, k2 = jax.random.split(key)
    return {"trunk": {"w": jax.random.normal(k1, (12, 40)) / 12 ** 0.5, "b": jnp.full(40, 0.1)},
            "head": {"w": jax.random.normal(k2, (40, 4)) / 40 ** 0.5, "b": jnp.zeros(4)}}


params = make_params(jax.random.PRNGKey(6))
is_trunk = {"trunk": True, "head": False}
tx = optax.chain(optax.masked(optax.set_to_zero(), is_trunk), optax.adamw(LR, weight_decay=0.3))
opt_state = tx.init(params)


@jax.jit
def step(params, opt_state, x, y):
    loss, grads = jax.value_and_grad(loss_fn)(params, x, y)
    updates, opt_state = tx.update(grads, opt_state, params)
    return optax.apply_updates(params, updates), opt_state, loss


k1, k2, k3 = jax.random.split(jax.random.PRNGKey(7), 3)
y = jax.random.randint(k1, (320,), 0, 4)
x = jax.random.normal(k2, (4, 12))[y] + 0.6 * jax.random.normal(k3, (320, 12))
for epoch in range(60):
    for i in range(0, 320, 32):
        params, opt_state, loss = step(params, opt_state, x[i:i + 32], y[i:i + 32])
    if epoch % 15 == 14:
        print(f"epoch {epoch} loss {loss:.4f} trunk norm {optax.global_norm(params['trunk']):.3f}")
