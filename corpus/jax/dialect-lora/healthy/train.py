import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import optax


class LoraLinear(eqx.Module):
    base: eqx.nn.Linear
    a: jax.Array
    b: jax.Array

    def __init__(self, base, rank, key):
        self.base = base
        self.a = jr.normal(key, (rank, base.in_features)) / base.in_features ** 0.5
        self.b = jnp.zeros((base.out_features, rank))

    def __call__(self, x):
        return self.base(x) + self.b @ (self.a @ x)


class Net(eqx.Module):
    first: LoraLinear
    second: LoraLinear

    def __init__(self, key):
        k = jr.split(key, 4)
        self.first = LoraLinear(eqx.nn.Linear(14, 32, key=k[0]), 4, k[1])
        self.second = LoraLinear(eqx.nn.Linear(32, 4, key=k[2]), 4, k[3])

    def __call__(self, x):
        return self.second(jax.nn.relu(self.first(x)))


model = Net(jr.key(0))
spec = jax.tree.map(lambda _: False, model)
spec = eqx.tree_at(lambda m: (m.first.a, m.first.b, m.second.a, m.second.b), spec, replace=(True,) * 4)
adapter, frozen = eqx.partition(model, spec)
optim = optax.adam(1e-2)
opt_state = optim.init(adapter)


@eqx.filter_jit
def step(adapter, opt_state, frozen, x, y):
    def loss_fn(adapter):
        return optax.softmax_cross_entropy_with_integer_labels(jax.vmap(eqx.combine(adapter, frozen))(x), y).mean()

    loss, grads = eqx.filter_value_and_grad(loss_fn)(adapter)
    updates, opt_state = optim.update(grads, opt_state)
    return eqx.apply_updates(adapter, updates), opt_state, loss


y = jr.randint(jr.key(1), (320,), 0, 4)
x = jr.normal(jr.key(2), (4, 14))[y] + 0.7 * jr.normal(jr.key(3), (320, 14))
for epoch in range(10):
    for i in range(0, 320, 32):
        adapter, opt_state, loss = step(adapter, opt_state, frozen, x[i:i + 32], y[i:i + 32])
    if epoch % 3 == 0:
        print(f"epoch {epoch} loss {loss:.4f}")
