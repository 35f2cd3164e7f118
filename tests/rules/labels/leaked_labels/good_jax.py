import equinox as eqx
import jax
import optax

table = jax.random.normal(jax.random.key(0), (256, 5))
table = table.at[:, 4].set(table[:, 0] - 2 * table[:, 1])
rooms, rent = table[:, :4], table[:, 4]
model = eqx.nn.MLP(4, "scalar", 16, 1, key=jax.random.key(1))
optimizer = optax.adam(0.01)
state = optimizer.init(eqx.filter(model, eqx.is_array))


def loss_fn(model, rooms, rent):
    return optax.l2_loss(jax.vmap(model)(rooms), rent).mean()


@eqx.filter_jit
def train_step(model, state, rooms, rent):
    grads = eqx.filter_grad(loss_fn)(model, rooms, rent)
    updates, state = optimizer.update(grads, state)
    return eqx.apply_updates(model, updates), state


for step in range(60):
    model, state = train_step(model, state, rooms, rent)
