import jax
import jax.numpy as jnp
import optax
from flax import nnx


class ChurnModel(nnx.Module):
    def __init__(self, features, *, rngs: nnx.Rngs):
        self.hidden = nnx.Linear(features, 16, rngs=rngs)
        self.out = nnx.Linear(16, 1, rngs=rngs)

    def __call__(self, customer):
        h = nnx.relu(self.hidden(customer))
        return nnx.sigmoid(self.out(h))[:, 0]


@nnx.jit
def fit_batch(model, optimizer, customer, left):
    def loss_fn(model):
        score = model(customer)
        return optax.sigmoid_binary_cross_entropy(score, left).mean()

    loss, grads = nnx.value_and_grad(loss_fn)(model)
    optimizer.update(model, grads)
    return loss


k1, k2 = jax.random.split(jax.random.key(30))
customer = jax.random.normal(k1, (640, 8))
left = (customer[:, :3].sum(1) + 0.3 * jax.random.normal(k2, (640,)) > 1.8).astype(jnp.float32)

model = ChurnModel(8, rngs=nnx.Rngs(30))
optimizer = nnx.Optimizer(model, optax.sgd(0.1, momentum=0.9), wrt=nnx.Param)
for epoch in range(6):
    losses = [fit_batch(model, optimizer, customer[i:i + 64], left[i:i + 64]) for i in range(0, 640, 64)]
    print(f"epoch {epoch} loss {sum(losses) / 10:.4f}")
p = model(customer)
print("mean on those who left", float(p[left == 1].mean()), "on the others", float(p[left == 0].mean()))
