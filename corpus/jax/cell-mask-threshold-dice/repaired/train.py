import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import optax


class TinySeg(eqx.Module):
    layers: list

    def __init__(self, key):
        k1, k2 = jr.split(key)
        self.layers = [eqx.nn.Conv2d(1, 8, 3, padding=1, key=k1), jax.nn.relu, eqx.nn.Conv2d(8, 1, 3, padding=1, key=k2)]

    def __call__(self, image):
        for layer in self.layers:
            image = layer(image)
        return image[0]


def dice(logits, mask):
    pred = jax.nn.sigmoid(logits)
    overlap = 2 * jnp.sum(pred * mask, axis=(1, 2)) + 1.0
    return jnp.mean(1 - overlap / (pred.sum((1, 2)) + mask.sum((1, 2)) + 1.0))


@eqx.filter_jit
def make_step(net, opt_state, optim, images, masks):
    loss, grads = eqx.filter_value_and_grad(lambda n: dice(jax.vmap(n)(images), masks))(net)
    updates, opt_state = optim.update(grads, opt_state, eqx.filter(net, eqx.is_array))
    return eqx.apply_updates(net, updates), opt_state, loss


def cells(key, n, size=16):
    k1, k2, k3 = jr.split(key, 3)
    centre = jr.uniform(k1, (n, 2), minval=4, maxval=12)
    radius = jr.uniform(k2, (n, 1, 1), minval=2.5, maxval=4)
    grid = jnp.stack(jnp.meshgrid(jnp.arange(size), jnp.arange(size), indexing="ij"))
    far = jnp.sqrt(((grid[None] - centre[:, :, None, None]) ** 2).sum(1))
    mask = (far < radius).astype(jnp.float32)
    return (mask + 0.4 * jr.normal(k3, mask.shape))[:, None], mask


images, masks = cells(jr.key(5), 96)
net = TinySeg(jr.key(6))
optim = optax.adam(1e-2)
opt_state = optim.init(eqx.filter(net, eqx.is_array))
for epoch in range(15):
    for i in range(0, 96, 24):
        net, opt_state, loss = make_step(net, opt_state, optim, images[i:i + 24], masks[i:i + 24])
    if epoch % 5 == 4:
        print(f"epoch {epoch} dice loss {loss:.4f}")
