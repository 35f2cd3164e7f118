import jax
import jax.numpy as jnp
import optax
from flax import nnx


class StampNet(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.fc1 = nnx.Linear(100, 32, rngs=rngs)
        self.drop = nnx.Dropout(0.2, rngs=rngs)
        self.fc2 = nnx.Linear(32, 5, rngs=rngs)

    def __call__(self, image):
        h = nnx.relu(self.fc1(image))
        return self.fc2(self.drop(h))


@nnx.jit
def train_step(model, optimizer, image, country):
    def loss_fn(model):
        logits = model(image)
        return optax.softmax_cross_entropy_with_integer_labels(logits, country).mean()

    loss, grads = nnx.value_and_grad(loss_fn)(model)
    optimizer.update(model, grads)
    return loss


ks = jax.random.split(jax.random.key(13), 3)
country = jax.random.randint(ks[0], (250,), 0, 5)
image = jax.random.normal(ks[1], (5, 10, 10))[country] + jax.random.normal(ks[2], (250, 10, 10))
model = StampNet(nnx.Rngs(params=13, dropout=14))
optimizer = nnx.Optimizer(model, optax.adam(5e-3), wrt=nnx.Param)
for epoch in range(6):
    for i in range(0, 250, 25):
        loss = train_step(model, optimizer, image[i:i + 25], country[i:i + 25])
    print(f"epoch {epoch} loss {loss:.4f}")
