import jax
import jax.numpy as jnp
import optax
from flax import nnx

rooms = jax.random.normal(jax.random.key(0), (128, 4))
rent = rooms.sum(axis=1, keepdims=True)
model = nnx.Linear(4, 1, rngs=nnx.Rngs(0))
optimizer = nnx.Optimizer(model, optax.sgd(0.1), wrt=nnx.Param)


def loss_fn(model, rooms, rent):
    predicted = model(rooms)
    loss = jnp.mean((predicted - rent) ** 2)


@nnx.jit
def train_step(model, optimizer, rooms, rent):
    loss, grads = nnx.value_and_grad(loss_fn)(model, rooms, rent)
    optimizer.update(model, grads)
    return loss


for step in range(30):
    loss = train_step(model, optimizer, rooms, rent)
