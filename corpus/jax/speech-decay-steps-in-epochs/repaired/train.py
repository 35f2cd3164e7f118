from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn
from flax.training.train_state import TrainState


@dataclass(frozen=True)
class Config:
    epochs: int = 8
    batch: int = 32
    lr: float = 1e-2


class Spotter(nn.Module):
    @nn.compact
    def __call__(self, mel):
        h = nn.relu(nn.Dense(32)(mel))
        h = h.mean(axis=1)
        return nn.Dense(6)(h)


def create_state(config, key, sample, steps_per_epoch):
    schedule = optax.cosine_decay_schedule(init_value=config.lr, decay_steps=config.epochs * steps_per_epoch)
    tx = optax.adam(schedule)
    net = Spotter()
    return TrainState.create(apply_fn=net.apply, params=net.init(key, sample)["params"], tx=tx)


@jax.jit
def step(state, mel, word):
    def loss_fn(params):
        return optax.softmax_cross_entropy_with_integer_labels(state.apply_fn({"params": params}, mel), word).mean()

    loss, grads = jax.value_and_grad(loss_fn)(state.params)
    return state.apply_gradients(grads=grads), loss


def main(config):
    rng = np.random.default_rng(5)
    word = rng.integers(0, 6, 480)
    mel = (0.5 * rng.normal(size=(6, 1, 16))[word] + rng.normal(size=(480, 12, 16))).astype(np.float32)
    steps_per_epoch = len(word) // config.batch
    state = create_state(config, jax.random.PRNGKey(5), mel[:1], steps_per_epoch)
    for epoch in range(config.epochs):
        for i in range(steps_per_epoch):
            rows = slice(i * config.batch, (i + 1) * config.batch)
            state, loss = step(state, mel[rows], word[rows])
        print(f"epoch {epoch} loss {loss:.4f}")


main(Config())
