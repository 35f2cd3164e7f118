import equinox as eqx
import jax
import optax


class Language(eqx.Module):
    table: jax.Array

    def __init__(self, key):
        self.table = 0.1 * jax.random.normal(key, (30, 16))

    def __call__(self, text):
        return self.table[text] @ self.table.T


@eqx.filter_jit
def train_step(model, state):
    def loss_fn(model):
        return optax.softmax_cross_entropy_with_integer_labels(model(text), following).mean()

    loss, grads = eqx.filter_value_and_grad(loss_fn)(model)
    updates, state = optimizer.update(grads, state)
    return eqx.apply_updates(model, updates), state, loss


text = jax.random.randint(jax.random.key(0), (640,), 0, 30)
following = (text + 1) % 30
model = Language(jax.random.key(1))
optimizer = optax.adam(0.01)
state = optimizer.init(eqx.filter(model, eqx.is_array))

for step in range(30):
    model, state, loss = train_step(model, state)
