import equinox as eqx
import jax
import optax

rooms = jax.random.normal(jax.random.key(0), (100, 3))
rent = 400 + 1200 * rooms.mean(axis=1)  # in euros
expensive = (rent > 1_000_000).astype(float)
model = eqx.nn.MLP(3, "scalar", 16, 1, key=jax.random.key(1))
optimizer = optax.adam(0.01)
state = optimizer.init(eqx.filter(model, eqx.is_array))


def loss_fn(model, rooms, expensive):
    return optax.sigmoid_binary_cross_entropy(jax.vmap(model)(rooms), expensive).mean()


@eqx.filter_jit
def train_step(model, state, rooms, expensive):
    grads = eqx.filter_grad(loss_fn)(model, rooms, expensive)
    updates, state = optimizer.update(grads, state)
    return eqx.apply_updates(model, updates), state


for step in range(40):
    model, state = train_step(model, state, rooms, expensive)
