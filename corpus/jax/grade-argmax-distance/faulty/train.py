import jax
import jax.numpy as jnp
import optax
from flax import linen as nn
from flax.training.train_state import TrainState

GRADES = 5


class Grader(nn.Module):
    @nn.compact
    def __call__(self, essay):
        h = nn.relu(nn.LayerNorm()(nn.Dense(32)(essay)))
        return nn.Dense(GRADES)(h)


def distance(logits, grade):
    picked = jnp.argmax(logits, axis=-1).astype(jnp.float32)
    return jnp.mean((picked - grade) ** 2)


@jax.jit
def step(state, essay, grade):
    loss, grads = jax.value_and_grad(lambda p: distance(state.apply_fn(p, essay), grade))(state.params)
    return state.apply_gradients(grads=grads), loss


k1, k2 = jax.random.split(jax.random.PRNGKey(0))
essay = jax.random.normal(k1, (400, 12))
quality = essay[:, :3].sum(1) + 0.2 * jax.random.normal(k2, (400,))
grade = jnp.clip(jnp.round(quality + 2), 0, GRADES - 1)
model = Grader()
state = TrainState.create(apply_fn=model.apply, params=model.init(jax.random.PRNGKey(1), essay[:1]), tx=optax.adam(1e-2))
for epoch in range(6):
    for i in range(0, 400, 40):
        state, loss = step(state, essay[i:i + 40], grade[i:i + 40])
    miss = jnp.mean(jnp.abs(jnp.argmax(model.apply(state.params, essay), -1) - grade))
    print(f"epoch {epoch} loss {loss:.4f} mean miss {miss:.3f}")
