import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import optax


class CoralNet(eqx.Module):
    encoder: eqx.nn.MLP
    head: eqx.nn.Linear

    def __init__(self, key):
        a, b = jr.split(key)
        self.encoder = eqx.nn.MLP(30, 3, 32, 1, key=a)
        self.head = eqx.nn.Linear(3, 6, key=b)

    def __call__(self, x):
        z = jax.lax.stop_gradient(jax.vmap(self.encoder)(x))
        return jax.nn.softmax(jax.vmap(self.head)(z))


def loss_fn(model, x, y):
    return optax.softmax_cross_entropy_with_integer_labels(model(x), y).mean()


@eqx.filter_jit
def make_step(model, opt_state, x, y):
    loss, grads = eqx.filter_value_and_grad(loss_fn)(model, x, y)
    updates, opt_state = optim.update(grads, opt_state)
    return eqx.apply_updates(model, updates), opt_state, loss


ks = jr.split(jr.key(29), 4)
y = jr.randint(ks[0], (480,), 0, 6)
x = jr.normal(ks[1], (6, 30))[y] + 1.2 * jr.normal(ks[2], (480, 30))
model = CoralNet(ks[3])
optim = optax.adam(5e-3)
opt_state = optim.init(eqx.filter(model, eqx.is_inexact_array))
for epoch in range(20):
    for i in range(0, 480, 60):
        model, opt_state, loss = make_step(model, opt_state, x[i:i + 60], y[i:i + 60])
    if epoch % 5 == 4:
        print(f"epoch {epoch} loss {loss:.3f} acc {jnp.mean(model(x).argmax(1) == y):.3f}")
