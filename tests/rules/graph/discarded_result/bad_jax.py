import jax
import optax

PADDING = 0


@jax.jit
def train_step(params, state, text, following):
    def loss_fn(params):
        scores = params["table"][text] @ params["out"]
        scores.at[:, PADDING].set(-1e9)
        return optax.softmax_cross_entropy_with_integer_labels(scores, following).mean()

    loss, grads = jax.value_and_grad(loss_fn)(params)
    updates, state = optimizer.update(grads, state)
    return optax.apply_updates(params, updates), state, loss


text = jax.random.randint(jax.random.key(0), (128,), 1, 20)
following = text % 19 + 1
params = {"table": jax.random.normal(jax.random.key(1), (20, 8)), "out": 0.1 * jax.random.normal(jax.random.key(2), (8, 20))}
optimizer = optax.adam(0.01)
state = optimizer.init(params)

for step in range(30):
    params, state, loss = train_step(params, state, text, following)
