import jax
import jax.numpy as jnp
import optax

rooms = jax.random.uniform(jax.random.key(0), (256, 3)) * jnp.array([1.0, 5_000.0, 200_000.0])
rent = (rooms[:, 0] + rooms[:, 1] / 5_000.0) / 2
rooms = (rooms - rooms.mean(axis=0)) / rooms.std(axis=0)
params = {"w": 0.5 * jax.random.normal(jax.random.key(1), (3,)), "b": jnp.zeros(())}
optimizer = optax.sgd(0.01)
state = optimizer.init(params)


@jax.jit
def train_step(params, state, rooms, rent):
    loss, grads = jax.value_and_grad(lambda p: jnp.mean((rooms @ p["w"] + p["b"] - rent) ** 2))(params)
    updates, state = optimizer.update(grads, state)
    return optax.apply_updates(params, updates), state, loss


for step in range(40):
    chosen = jax.random.randint(jax.random.key(step), (64,), 0, 256)
    params, state, loss = train_step(params, state, rooms[chosen], rent[chosen])
