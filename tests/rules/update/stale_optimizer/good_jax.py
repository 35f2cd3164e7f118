import jax
import jax.numpy as jnp
import optax
from flax import nnx


@nnx.jit
def train_step(model, optimizer, visits, ratings):
    loss, grads = nnx.value_and_grad(lambda model: jnp.mean((model(visits)[:, 0] - ratings) ** 2))(model)
    optimizer.update(grads)
    return loss


visits = jax.random.normal(jax.random.key(0), (128, 10))
ratings = visits[:, 0] - visits[:, 1]
model = nnx.Linear(10, 1, rngs=nnx.Rngs(0))
optimizer = nnx.ModelAndOptimizer(model, optax.adam(0.05), wrt=nnx.Param)

for step in range(40):
    loss = train_step(model, optimizer, visits, ratings)
