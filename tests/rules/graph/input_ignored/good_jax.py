import jax
import jax.numpy as jnp
import optax
from flax import nnx


@nnx.jit
def train_step(model, optimizer, ages, incomes):
    def loss_fn(model):
        scaled = (ages - 40) / 12
        return jnp.mean((model(scaled) - incomes) ** 2)

    loss, grads = nnx.value_and_grad(loss_fn)(model)
    optimizer.update(model, grads)
    return loss


ages = jax.random.uniform(jax.random.key(0), (128, 1), minval=20, maxval=60)
incomes = (ages - 30) / 10
rngs = nnx.Rngs(0)
model = nnx.Sequential(nnx.Linear(1, 16, rngs=rngs), nnx.tanh, nnx.Linear(16, 1, rngs=rngs))
optimizer = nnx.Optimizer(model, optax.adam(0.01), wrt=nnx.Param)

for step in range(60):
    chosen = jax.random.randint(jax.random.key(step), (32,), 0, 128)
    loss = train_step(model, optimizer, ages[chosen], incomes[chosen])
