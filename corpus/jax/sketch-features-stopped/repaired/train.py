import jax
import jax.numpy as jnp
import optax
from flax.training.train_state import TrainState

from nets import SketchClassifier


def sketches(key, n=480):
    a, b, c = jax.random.split(key, 3)
    y = jax.random.randint(a, (n,), 0, 6)
    angle = y * jnp.pi / 3
    base = jnp.stack([jnp.cos(angle), jnp.sin(angle)], -1)
    noise = jax.random.normal(b, (n, 18))
    x = jnp.concatenate([base, noise], -1) + 0.1 * jax.random.normal(c, (n, 20))
    return x, y


@jax.jit
def train_step(state, x, y):
    def loss_fn(params):
        logits = state.apply_fn({"params": params}, x)
        return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()

    loss, grads = jax.value_and_grad(loss_fn)(state.params)
    return state.apply_gradients(grads=grads), loss


x, y = sketches(jax.random.PRNGKey(9))
model = SketchClassifier(classes=6)
state = TrainState.create(apply_fn=model.apply, params=model.init(jax.random.PRNGKey(10), x[:1])["params"], tx=optax.adam(1e-2))
for epoch in range(15):
    for i in range(0, 480, 48):
        state, loss = train_step(state, x[i:i + 48], y[i:i + 48])
    if epoch % 5 == 4:
        acc = jnp.mean(model.apply({"params": state.params}, x).argmax(-1) == y)
        print(f"epoch {epoch} loss {loss:.3f} acc {acc:.3f}")
