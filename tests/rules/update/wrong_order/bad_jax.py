import equinox as eqx
import jax
import jax.numpy as jnp
import optax

keys = jax.random.split(jax.random.key(0), 3)
points = jax.random.normal(keys[0], (256, 8))
heights = 5 * points[:, 0] + jax.random.normal(keys[1], (256,))
model = eqx.nn.MLP(8, "scalar", 16, 1, key=keys[2])
optimizer = optax.chain(optax.adam(0.01), optax.clip_by_global_norm(1.0))
state = optimizer.init(eqx.filter(model, eqx.is_array))


@eqx.filter_value_and_grad
def loss_fn(model, points, heights):
    return jnp.mean((jax.vmap(model)(points) - heights) ** 2)


@eqx.filter_jit
def train_step(model, state, points, heights):
    loss, grads = loss_fn(model, points, heights)
    updates, state = optimizer.update(grads, state)
    return eqx.apply_updates(model, updates), state, loss


for step in range(40):
    chosen = jax.random.randint(jax.random.key(step), (32,), 0, 256)
    model, state, loss = train_step(model, state, points[chosen], heights[chosen])
