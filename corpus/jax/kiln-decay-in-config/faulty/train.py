"""Predict a kiln's temperature from its last eight readings."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn
from flax.training.train_state import TrainState

CONFIG = {"peak": 3e-3, "steps": 120, "batch": 64, "decay": 40.0}


class Kiln(nn.Module):
    @nn.compact
    def __call__(self, readings):
        hidden = nn.relu(nn.Dense(48)(readings))
        return nn.Dense(1)(nn.relu(nn.Dense(48)(hidden))).squeeze(-1)


def optimizer(config):
    return optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(config["peak"], weight_decay=config["decay"]))


@jax.jit
def update(state, readings, temperature):
    def objective(params):
        return jnp.mean((state.apply_fn(params, readings) - temperature) ** 2)

    loss, gradient = jax.value_and_grad(objective)(state.params)
    return state.apply_gradients(grads=gradient), loss


draw = np.random.default_rng(5)
readings = draw.normal(size=(1024, 8)).astype(np.float32)
temperature = (readings[:, -1] + 0.5 * readings[:, -2] - 0.3 * readings[:, 0]).astype(np.float32)
model = Kiln()
state = TrainState.create(apply_fn=model.apply, params=model.init(jax.random.key(0), readings[:1]), tx=optimizer(CONFIG))
for step in range(CONFIG["steps"]):
    rows = draw.integers(0, len(readings), CONFIG["batch"])
    state, loss = update(state, readings[rows], temperature[rows])
    if step % 30 == 0:
        print(step, float(loss))
print("end", float(loss))
