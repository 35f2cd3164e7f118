import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn
from flax.training.train_state import TrainState

NUM_GESTURES = 6


class GestureNet(nn.Module):
    hidden: int = 48

    @nn.compact
    def __call__(self, signal):
        h = nn.relu(nn.Dense(self.hidden)(signal))
        h = nn.relu(nn.Dense(self.hidden)(h))
        return nn.Dense(NUM_GESTURES)(h)


def make_recordings(rng, count=360):
    gesture = rng.integers(0, NUM_GESTURES, count)
    centre = rng.normal(size=(NUM_GESTURES, 20))
    return {"signal": (centre[gesture] + 0.8 * rng.normal(size=(count, 20))).astype(np.float32), "gesture": gesture}


def create_state(key):
    net = GestureNet()
    variables = net.init(key, jnp.ones((1, 20)))
    return TrainState.create(apply_fn=net.apply, params=variables["params"], tx=optax.adam(3e-3))


@jax.jit
def train_step(state, batch):
    def loss_fn(params):
        logits = state.apply_fn({"params": params}, batch["signal"])
        targets = jax.nn.one_hot(batch["gesture"], NUM_GESTURES)
        losses = optax.softmax_cross_entropy(logits=logits, labels=targets)
        return losses.mean(), logits

    (loss, logits), grads = jax.value_and_grad(loss_fn, has_aux=True)(state.params)
    accuracy = jnp.mean(jnp.argmax(logits, -1) == batch["gesture"])
    return state.apply_gradients(grads=grads), loss, accuracy


def main():
    rng = np.random.default_rng(3)
    data = make_recordings(rng)
    state = create_state(jax.random.PRNGKey(3))
    for epoch in range(8):
        order = rng.permutation(len(data["gesture"]))
        for start in range(0, len(order), 40):
            rows = order[start:start + 40]
            state, loss, accuracy = train_step(state, {k: v[rows] for k, v in data.items()})
        print(f"epoch {epoch} loss {loss:.4f} acc {accuracy:.3f}")


if __name__ == "__main__":
    main()
