import jax
import jax.numpy as jnp
import optax
from flax import nnx


class MLP(nnx.Module):
    def __init__(self, width, rngs):
        self.a = nnx.Linear(10, width, rngs=rngs)
        self.b = nnx.Linear(width, 5, rngs=rngs)

    def __call__(self, x):
        return self.b(nnx.relu(self.a(x)))


@nnx.jit
def teach(model, optimizer, x, y):
    loss, grads = nnx.value_and_grad(lambda m: optax.softmax_cross_entropy_with_integer_labels(m(x), y).mean())(model)
    optimizer.update(model, grads)
    return loss


@nnx.jit
def distil(student, optimizer, teacher, x, y, heat=2.0):
    soft = jax.nn.softmax(teacher(x) / heat)

    def loss_fn(student):
        logits = student(x)
        hard_loss = optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()
        soft_loss = optax.softmax_cross_entropy(logits / heat, soft).mean()
        return 0.3 * hard_loss + 0.7 * heat ** 2 * soft_loss

    loss, grads = nnx.value_and_grad(loss_fn)(student)
    optimizer.update(student, grads)
    return loss


ks = jax.random.split(jax.random.key(0), 3)
y = jax.random.randint(ks[0], (300,), 0, 5)
x = jax.random.normal(ks[1], (5, 10))[y] + 0.6 * jax.random.normal(ks[2], (300, 10))
teacher, student = MLP(64, nnx.Rngs(1)), MLP(8, nnx.Rngs(2))
t_opt = nnx.Optimizer(teacher, optax.adam(1e-2), wrt=nnx.Param)
s_opt = nnx.Optimizer(student, optax.adam(1e-2), wrt=nnx.Param)
for epoch in range(3):
    for i in range(0, 300, 30):
        loss = teach(teacher, t_opt, x[i:i + 30], y[i:i + 30])
print("teacher", float(loss))
for epoch in range(5):
    for i in range(0, 300, 30):
        loss = distil(student, s_opt, teacher, x[i:i + 30], y[i:i + 30])
print("student", float(loss), "right", float(jnp.mean(student(x).argmax(-1) == y)))
