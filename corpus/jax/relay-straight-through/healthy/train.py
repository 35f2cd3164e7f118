import jax
import jax.numpy as jnp
import optax
from flax import nnx


def binarise(x):
    hard = jnp.where(x > 0, 1.0, -1.0)
    soft = jnp.clip(x, -1.0, 1.0)
    return soft + jax.lax.stop_gradient(hard - soft)


class RelayNet(nnx.Module):
    def __init__(self, rngs):
        self.a = nnx.Linear(10, 48, rngs=rngs)
        self.b = nnx.Linear(48, 3, rngs=rngs)

    def __call__(self, x):
        return self.b(binarise(self.a(x)))


@nnx.jit
def step(net, optimizer, x, y):
    def loss_fn(net):
        return optax.softmax_cross_entropy_with_integer_labels(net(x), y).mean()

    loss, grads = nnx.value_and_grad(loss_fn)(net)
    optimizer.update(net, grads)
    return loss


ks = jax.random.split(jax.random.key(0), 3)
y = jax.random.randint(ks[0], (360,), 0, 3)
x = jax.random.normal(ks[1], (3, 10))[y] + 0.6 * jax.random.normal(ks[2], (360, 10))
net = RelayNet(nnx.Rngs(1))
optimizer = nnx.Optimizer(net, optax.adam(5e-3), wrt=nnx.Param)
for epoch in range(10):
    for i in range(0, 360, 36):
        loss = step(net, optimizer, x[i:i + 36], y[i:i + 36])
    if epoch % 3 == 0:
        print(f"epoch {epoch} loss {loss:.4f} right {jnp.mean(net(x).argmax(-1) == y):.3f}")
