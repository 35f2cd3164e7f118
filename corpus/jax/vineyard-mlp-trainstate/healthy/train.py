import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn
from flax.training import train_state


class VineNet(nn.Module):
    grapes: int

    @nn.compact
    def __call__(self, leaf, train=False):
        h = nn.relu(nn.Dense(48)(leaf))
        h = nn.Dropout(0.2)(h, deterministic=not train)
        h = nn.relu(nn.Dense(24)(h))
        return nn.Dense(self.grapes)(h)


class State(train_state.TrainState):
    dropout_key: jax.Array


@jax.jit
def train_step(state, leaf, grape):
    key = jax.random.fold_in(state.dropout_key, state.step)

    def loss_fn(params):
        logits = state.apply_fn({"params": params}, leaf, train=True, rngs={"dropout": key})
        loss = optax.softmax_cross_entropy_with_integer_labels(logits, grape).mean()
        accuracy = jnp.mean(jnp.argmax(logits, -1) == grape)
        return loss, accuracy

    (loss, accuracy), grads = jax.value_and_grad(loss_fn, has_aux=True)(state.params)
    return state.apply_gradients(grads=grads), loss, accuracy


def main():
    rng = np.random.default_rng(31)
    grape = rng.integers(0, 5, 400)
    leaf = (rng.normal(size=(5, 12))[grape] + 0.7 * rng.normal(size=(400, 12))).astype(np.float32)
    net = VineNet(5)
    k_init, k_drop = jax.random.split(jax.random.key(31))
    state = State.create(apply_fn=net.apply, params=net.init(k_init, leaf[:1])["params"], tx=optax.adam(3e-3), dropout_key=k_drop)
    for epoch in range(8):
        order = rng.permutation(400)
        for rows in order.reshape(-1, 40):
            state, loss, accuracy = train_step(state, leaf[rows], grape[rows])
        print(f"epoch {epoch} loss {loss:.4f} accuracy {accuracy:.3f}")


main()
