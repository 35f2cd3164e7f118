import jax
import jax.numpy as jnp
import optax
from flax import nnx


class Triage(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.inner = nnx.Linear(9, 32, rngs=rngs)
        self.outer = nnx.Linear(32, 3, rngs=rngs)

    def __call__(self, vitals):
        return self.outer(nnx.relu(self.inner(vitals)))


def objective(net, vitals, level):
    scores = net(vitals)
    wrong = jnp.argmax(scores, axis=1) != level
    miss = jnp.mean(wrong.astype(jnp.float32))
    decay = sum(jnp.sum(p ** 2) for p in jax.tree.leaves(nnx.state(net, nnx.Param)))
    return miss + 1e-3 * decay


@nnx.jit
def step(net, optimizer, vitals, level):
    loss, grads = nnx.value_and_grad(objective)(net, vitals, level)
    optimizer.update(net, grads)
    return loss


key = jax.random.key(17)
kx, kw, kn = jax.random.split(key, 3)
vitals = jax.random.normal(kx, (480, 9))
level = jnp.argmax(vitals @ jax.random.normal(kw, (9, 3)) + 0.1 * jax.random.normal(kn, (480, 3)), axis=1)

net = Triage(nnx.Rngs(17))
optimizer = nnx.Optimizer(net, optax.adam(1e-2), wrt=nnx.Param)
for epoch in range(6):
    for i in range(0, 480, 60):
        loss = step(net, optimizer, vitals[i:i + 60], level[i:i + 60])
    hits = jnp.mean(jnp.argmax(net(vitals), 1) == level)
    print(f"epoch {epoch}: loss {loss:.3f} right {hits:.3f}")
