import jax
import jax.numpy as jnp
import optax
from flax import nnx


@nnx.jit
def train_step(model, optimizer, rooms, price):
    loss, grads = nnx.value_and_grad(lambda model: jnp.mean((model(rooms)[:, 0] - price) ** 2))(model)
    optimizer.update(model, grads)
    return loss


rooms = jax.random.normal(jax.random.key(0), (256, 3))
price = 250_000 + 80_000 * rooms[:, 0] - 30_000 * rooms[:, 1]
rngs = nnx.Rngs(0)
model = nnx.Sequential(nnx.Linear(3, 16, rngs=rngs), nnx.relu, nnx.Linear(16, 1, rngs=rngs))
optimizer = nnx.Optimizer(model, optax.adam(0.01), wrt=nnx.Param)

for step in range(40):
    chosen = jax.random.randint(jax.random.key(step), (64,), 0, 256)
    loss = train_step(model, optimizer, rooms[chosen], price[chosen])
