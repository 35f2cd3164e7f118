import jax
import jax.numpy as jnp
import optax
from flax import nnx


class Recommender(nnx.Module):
    def __init__(self, rngs):
        self.encoder = nnx.Linear(10, 8, rngs=rngs)
        self.head = nnx.Linear(8, 1, rngs=rngs)

    def __call__(self, visits):
        return self.head(nnx.tanh(self.encoder(visits)))[:, 0]


@nnx.jit
def train_step(model, optimizer, visits, ratings):
    loss, grads = nnx.value_and_grad(lambda model: jnp.mean((model(visits) - ratings) ** 2))(model)
    optimizer.update(model, grads)
    return loss


visits = jax.random.normal(jax.random.key(0), (128, 10))
ratings = visits[:, 0] - visits[:, 1]
model = Recommender(nnx.Rngs(0))
optimizer = nnx.Optimizer(model, optax.adam(0.01), wrt=nnx.Param)

for step in range(40):
    loss = train_step(model, optimizer, visits, ratings)
