import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn


class Backbone(nn.Module):
    @nn.compact
    def __call__(self, x):
        x = nn.relu(nn.Dense(64, name='fc1')(x))
        return nn.relu(nn.Dense(64, name='fc2')(x))


class ResinNet(nn.Module):
    classes: int

    @nn.compact
    def __call__(self, x):
        x = Backbone(name='backbone')(x)
        return nn.Dense(self.classes, name='head')(x)


def make_optimizer(variables, lr):
    labels = jax.tree_util.tree_map_with_path(
        lambda path, _: 'trainable' if path[0].key.startswith('head') else 'frozen', variables)
    return optax.multi_transform({'trainable': optax.adam(lr), 'frozen': optax.set_to_zero()}, labels)


def main():
    rng = np.random.default_rng(22)
    y = rng.integers(0, 4, 320)
    x = (rng.normal(size=(4, 30))[y] + 0.8 * rng.normal(size=(320, 30))).astype(np.float32)
    net = ResinNet(4)
    variables = net.init(jax.random.PRNGKey(22), x[:1])
    tx = make_optimizer(variables, 5e-3)
    opt_state = tx.init(variables)

    @jax.jit
    def step(variables, opt_state, x, y):
        def loss_fn(v):
            return optax.softmax_cross_entropy_with_integer_labels(net.apply(v, x), y).mean()
        loss, grads = jax.value_and_grad(loss_fn)(variables)
        updates, opt_state = tx.update(grads, opt_state, variables)
        return optax.apply_updates(variables, updates), opt_state, loss

    for epoch in range(6):
        for i in range(0, 320, 40):
            variables, opt_state, loss = step(variables, opt_state, x[i:i + 40], y[i:i + 40])
        acc = np.mean(np.argmax(net.apply(variables, x), 1) == y)
        print(f'epoch {epoch} loss {loss:.4f} acc {acc:.3f}')


main()
