import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import optax

SPECIES = 8


class WingNet(eqx.Module):
    conv: eqx.nn.Conv2d
    head: eqx.nn.Linear

    def __init__(self, key):
        k1, k2 = jr.split(key)
        self.conv = eqx.nn.Conv2d(1, 8, 3, key=k1)
        self.head = eqx.nn.Linear(8 * 6 * 6, SPECIES, key=k2)

    def __call__(self, image):
        h = jax.nn.relu(self.conv(image))
        return self.head(h.ravel())


def loss_fn(net, images, species):
    logits = jax.vmap(net)(images)
    return optax.softmax_cross_entropy_with_integer_labels(logits, species).mean()


@eqx.filter_jit
def train_step(net, opt_state, images, species, optim):
    loss, grads = eqx.filter_value_and_grad(loss_fn)(net, images, species)
    updates, opt_state = optim.update(grads, opt_state, eqx.filter(net, eqx.is_array))
    return eqx.apply_updates(net, updates), opt_state, loss


def collection(key, n):
    k1, k2, k3 = jr.split(key, 3)
    patterns = jr.normal(k1, (SPECIES, 1, 8, 8))
    species = jr.randint(k2, (n,), 0, SPECIES)
    return patterns[species] + 0.6 * jr.normal(k3, (n, 1, 8, 8)), species


key = jr.PRNGKey(21)
images, species = collection(key, 320)
net = WingNet(jr.PRNGKey(1))
optim = optax.sgd(0.01)
opt_state = optim.init(eqx.filter(net, eqx.is_array))
for epoch in range(5):
    for i in range(0, 320, 8):
        net, opt_state, loss = train_step(net, opt_state, images[i:i + 8], species[i:i + 8], optim)
    acc = (jax.vmap(net)(images).argmax(1) == species).mean()
    print(f"epoch {epoch} loss {loss:.3f} acc {acc:.3f}")
