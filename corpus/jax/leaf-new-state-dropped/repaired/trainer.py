import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn
from flax.training import train_state


class CNN(nn.Module):
    @nn.compact
    def __call__(self, x):
        x = nn.relu(nn.Conv(features=8, kernel_size=(3, 3))(x))
        x = nn.max_pool(x, window_shape=(2, 2), strides=(2, 2))
        x = x.reshape((x.shape[0], -1))
        return nn.Dense(features=4)(x)


def create_train_state(rng, shape, lr):
    cnn = CNN()
    params = cnn.init(rng, jnp.ones([1, *shape]))["params"]
    return train_state.TrainState.create(apply_fn=cnn.apply, params=params, tx=optax.adam(lr))


@jax.jit
def train_step(state, x, y):
    def loss_fn(params):
        logits = state.apply_fn({"params": params}, x)
        return optax.softmax_cross_entropy(logits, jax.nn.one_hot(y, 4)).mean(), logits

    (loss, logits), grads = jax.value_and_grad(loss_fn, has_aux=True)(state.params)
    state = state.apply_gradients(grads=grads)
    return state, {"loss": loss, "accuracy": jnp.mean(jnp.argmax(logits, -1) == y)}


def train_epoch(state, x, y, batch_size, rng):
    order = rng.permutation(len(x))
    metrics = []
    for rows in order.reshape(-1, batch_size):
        state, batch_metrics = train_step(state, x[rows], y[rows])
        metrics.append(jax.device_get(batch_metrics))
    return state, np.mean([m["loss"] for m in metrics]), np.mean([m["accuracy"] for m in metrics])
