import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn, traverse_util
from flax.training.train_state import TrainState


class Net(nn.Module):
    classes: int

    def setup(self):
        self.backbone = nn.Sequential([nn.Dense(32), nn.relu, nn.Dense(16), nn.relu])
        self.head = nn.Dense(self.classes)

    def __call__(self, x):
        return self.head(self.backbone(x))


@jax.jit
def step(state, x, y):
    def loss_fn(p):
        return optax.softmax_cross_entropy_with_integer_labels(state.apply_fn({"params": p}, x), y).mean()

    loss, grads = jax.value_and_grad(loss_fn)(state.params)
    return state.apply_gradients(grads=grads), loss


def fit(state, x, y, epochs, name):
    for epoch in range(epochs):
        for i in range(0, len(y), 40):
            state, loss = step(state, x[i:i + 40], y[i:i + 40])
    print(name, "loss", float(loss))
    return state


rng = np.random.default_rng(55)
centres = rng.normal(size=(8, 20))
y = rng.integers(0, 8, 480)
x = (centres[y] + 0.5 * rng.normal(size=(480, 20))).astype(np.float32)
coarse, fine = y // 4, y % 4

source = Net(8)
state = TrainState.create(apply_fn=source.apply, params=source.init(jax.random.PRNGKey(0), x[:1])["params"], tx=optax.adam(5e-3))
state = fit(state, x, y, 8, "pretraining")

target = Net(4)
params = target.init(jax.random.PRNGKey(1), x[:1])["params"]
params["backbone"] = state.params["backbone"]
labels = traverse_util.path_aware_map(lambda path, _: "frozen" if "backbone" in path else "trainable", params)
tx = optax.multi_transform({"trainable": optax.adam(1e-2), "frozen": optax.set_to_zero()}, labels)
state = TrainState.create(apply_fn=target.apply, params=params, tx=tx)
state = fit(state, x, fine, 12, "fine-tuning")
print("right", np.mean(np.argmax(target.apply({"params": state.params}, x), -1) == fine))
