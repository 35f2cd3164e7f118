import jax
import jax.numpy as jnp
import optax
from flax import nnx


class Forecast(nnx.Module):
    def __init__(self, rngs):
        self.first = nnx.Linear(6, 16, rngs=rngs)
        self.second = nnx.Linear(16, 16, rngs=rngs)
        self.out = nnx.Linear(16, 1, rngs=rngs)

    def __call__(self, weather):
        hidden = nnx.relu(self.first(weather))
        return self.out(hidden)[:, 0]


@nnx.jit
def train_step(model, optimizer, weather, demand):
    loss, grads = nnx.value_and_grad(lambda model: jnp.mean((model(weather) - demand) ** 2))(model)
    optimizer.update(model, grads)
    return loss


weather = jax.random.normal(jax.random.key(0), (128, 6))
demand = weather[:, 0] * weather[:, 1]
model = Forecast(nnx.Rngs(0))
optimizer = nnx.Optimizer(model, optax.adam(0.01), wrt=nnx.Param)

for step in range(30):
    loss = train_step(model, optimizer, weather, demand)
