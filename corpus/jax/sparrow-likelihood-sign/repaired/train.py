import jax
import jax.numpy as jnp
import optax
from flax import linen as nn
from flax.training.train_state import TrainState


class SongNet(nn.Module):
    @nn.compact
    def __call__(self, spectrum, train: bool):
        h = nn.Dense(40)(spectrum)
        h = nn.relu(h)
        h = nn.Dropout(0.1, deterministic=not train)(h)
        return nn.log_softmax(nn.Dense(5)(h))


def log_likelihood_loss(log_probs, bird):
    picked = jnp.take_along_axis(log_probs, bird[:, None], axis=-1)
    return -jnp.mean(picked)


@jax.jit
def train_step(state, spectrum, bird, dropout_key):
    key = jax.random.fold_in(dropout_key, state.step)

    def loss_fn(params):
        log_probs = state.apply_fn({"params": params}, spectrum, train=True, rngs={"dropout": key})
        return log_likelihood_loss(log_probs, bird)

    loss, grads = jax.value_and_grad(loss_fn)(state.params)
    return state.apply_gradients(grads=grads), loss


root = jax.random.key(51)
k1, k2, k3, k_init, k_drop = jax.random.split(root, 5)
bird = jax.random.randint(k1, (400,), 0, 5)
spectrum = jax.random.normal(k2, (5, 24))[bird] + jax.random.normal(k3, (400, 24))
net = SongNet()
state = TrainState.create(apply_fn=net.apply, params=net.init(k_init, spectrum[:1], train=False)["params"], tx=optax.adam(5e-3))
for epoch in range(8):
    for i in range(0, 400, 50):
        state, loss = train_step(state, spectrum[i:i + 50], bird[i:i + 50], k_drop)
    guess = net.apply({"params": state.params}, spectrum, train=False).argmax(-1)
    print(f"epoch {epoch} loss {loss:.3f} acc {jnp.mean(guess == bird):.3f}")
