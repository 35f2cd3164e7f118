import equinox as eqx
import jax
import jax.numpy as jnp
import optax

rooms = jax.random.normal(jax.random.key(0), (100, 3))
rent = rooms @ jnp.array([1.0, -2.0, 0.5])
model = eqx.nn.MLP(3, "scalar", 16, 1, key=jax.random.key(1))
optimizer = optax.adam(0.01)
state = optimizer.init(eqx.filter(model, eqx.is_array))


def loss_fn(model, rooms, rent):
    return optax.l2_loss(jax.vmap(model)(rooms), rent)


@eqx.filter_jit
def train_step(model, state, rooms, rent):
    grads = eqx.filter_grad(loss_fn)(model, rooms, rent)
    updates, state = optimizer.update(grads, state)
    return eqx.apply_updates(model, updates), state


for step in range(40):
    model, state = train_step(model, state, rooms, rent)
