from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn
from flax.training import train_state


class FloeNet(nn.Module):
    @nn.compact
    def __call__(self, x, train: bool):
        x = nn.BatchNorm(use_running_average=not train, momentum=0.9)(x)
        x = nn.tanh(nn.Dense(32)(x))
        x = nn.BatchNorm(use_running_average=not train, momentum=0.9)(x)
        return nn.Dense(4)(x)


class State(train_state.TrainState):
    batch_stats: Any


@jax.jit
def train_step(state, echo, kind):
    def loss_fn(params):
        logits, new = state.apply_fn({"params": params, "batch_stats": state.batch_stats}, echo, train=False, mutable=["batch_stats"])
        return optax.softmax_cross_entropy_with_integer_labels(logits, kind).mean(), new

    (loss, new), grads = jax.value_and_grad(loss_fn, has_aux=True)(state.params)
    return state.apply_gradients(grads=grads, batch_stats=new["batch_stats"]), loss


rng = np.random.default_rng(91)
kind = rng.integers(0, 4, 384)
echo = (60.0 + 25.0 * (rng.normal(size=(4, 16))[kind] + 0.8 * rng.normal(size=(384, 16)))).astype(np.float32)
net = FloeNet()
variables = net.init(jax.random.PRNGKey(91), echo[:1], train=False)
state = State.create(apply_fn=net.apply, params=variables["params"], batch_stats=variables["batch_stats"], tx=optax.sgd(0.1, momentum=0.9))
for epoch in range(8):
    for i in range(0, 384, 32):
        state, loss = train_step(state, echo[i:i + 32], kind[i:i + 32])
    print(f"epoch {epoch} loss {loss:.4f}")
