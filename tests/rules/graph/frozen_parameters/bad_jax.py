import jax
import jax.numpy as jnp
import optax


def loss_fn(params, images, labels):
    hidden = jnp.tanh(images @ params["backbone"])
    return optax.softmax_cross_entropy_with_integer_labels(hidden @ params["head"], labels).mean()


def group(path, _):
    return "train" if path[0] == "head" else "freeze"


images = jax.random.normal(jax.random.key(0), (128, 8))
labels = (images[:, 0] > 0).astype(int)
params = {"backbone": jax.random.normal(jax.random.key(1), (8, 16)), "head": jnp.zeros((16, 2))}
groups = jax.tree_util.tree_map_with_path(group, params)
optimizer = optax.multi_transform({"train": optax.adam(0.01), "freeze": optax.set_to_zero()}, groups)
state = optimizer.init(params)

for step in range(30):
    loss, grads = jax.value_and_grad(loss_fn)(params, images, labels)
    updates, state = optimizer.update(grads, state, params)
    params = optax.apply_updates(params, updates)
