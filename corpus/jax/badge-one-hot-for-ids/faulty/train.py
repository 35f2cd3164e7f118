import jax
import jax.numpy as jnp
import optax
from flax import nnx


class BadgeNet(nnx.Module):
    def __init__(self, rngs):
        self.a = nnx.Linear(18, 32, rngs=rngs)
        self.b = nnx.Linear(32, 6, rngs=rngs)

    def __call__(self, x):
        return self.b(nnx.relu(self.a(x)))


def loss_fn(model, x, target):
    logits = model(x)
    return optax.softmax_cross_entropy_with_integer_labels(logits, target).mean()


@nnx.jit
def step(model, optimizer, x, target):
    loss, grads = nnx.value_and_grad(loss_fn)(model, x, target)
    optimizer.update(model, grads)
    return loss


ks = jax.random.split(jax.random.key(4), 3)
badge = jax.random.randint(ks[0], (300,), 0, 6)
x = jax.random.normal(ks[1], (6, 18))[badge] + 0.6 * jax.random.normal(ks[2], (300, 18))
target = jax.nn.one_hot(badge, 6)
model = BadgeNet(nnx.Rngs(4))
optimizer = nnx.Optimizer(model, optax.adam(1e-2), wrt=nnx.Param)
for epoch in range(6):
    for i in range(0, 300, 30):
        loss = step(model, optimizer, x[i:i + 30], target[i:i + 30])
    print(f"epoch {epoch} loss {loss:.4f}")
