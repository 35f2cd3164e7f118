import jax
import optax
from flax import nnx

keys = jax.random.split(jax.random.key(0), 3)
species = jax.random.randint(keys[0], (160,), 0, 4)
flowers = jax.random.normal(keys[1], (4, 6))[species] + 0.3 * jax.random.normal(keys[2], (160, 6))
rngs = nnx.Rngs(1)
model = nnx.Sequential(nnx.Linear(6, 16, rngs=rngs), nnx.relu, nnx.Linear(16, 4, rngs=rngs))
optimizer = nnx.Optimizer(model, optax.adam(0.01), wrt=nnx.Param)


@nnx.jit
def train_step(model, optimizer, flowers, species):
    def loss_fn(model):
        return optax.softmax_cross_entropy_with_integer_labels(model(flowers), species).mean()

    grads = nnx.grad(loss_fn)(model)
    optimizer.update(model, grads)


for step in range(30):
    train_step(model, optimizer, flowers, species)
