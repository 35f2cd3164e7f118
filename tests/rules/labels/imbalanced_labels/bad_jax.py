import jax
import jax.numpy as jnp
import optax

payments = jax.random.normal(jax.random.key(0), (2048, 8))
fraud = (jax.random.uniform(jax.random.key(2), (2048,)) > 0.9).astype(int)
keys = jax.random.split(jax.random.key(1), 2)
params = {
    "hidden": {"w": 0.3 * jax.random.normal(keys[0], (8, 16)), "b": jnp.zeros(16)},
    "scores": {"w": 0.3 * jax.random.normal(keys[1], (16, 2)), "b": jnp.zeros(2)},
}
optimizer = optax.adam(0.01)
state = optimizer.init(params)


def predict(params, payments):
    hidden = jax.nn.relu(payments @ params["hidden"]["w"] + params["hidden"]["b"])
    return hidden @ params["scores"]["w"] + params["scores"]["b"]


def loss_fn(params, payments, fraud):
    return optax.softmax_cross_entropy_with_integer_labels(predict(params, payments), fraud).mean()


@jax.jit
def train_step(params, state, payments, fraud):
    loss, grads = jax.value_and_grad(loss_fn)(params, payments, fraud)
    updates, state = optimizer.update(grads, state)
    return optax.apply_updates(params, updates), state, loss


for step in range(120):
    params, state, loss = train_step(params, state, payments, fraud)
