import jax
import jax.numpy as jnp
import numpy as np
import optax


class RecipeModel:
    def __init__(self, vocab, dim, cuisines, key):
        k1, self.key = jax.random.split(key)
        self.dim, self.cuisines = dim, cuisines
        self.table = jax.random.normal(k1, (vocab, dim))

    def init(self):
        return {"w": 0.5 * jax.random.normal(self.key, (self.dim, self.cuisines)), "b": jnp.zeros(self.cuisines)}

    def apply(self, params, ingredients):
        h = self.table[ingredients].mean(axis=1)
        return h @ params["w"] + params["b"]


def recipes(rng, n=500, vocab=80, cuisines=5):
    cuisine = rng.integers(0, cuisines, n)
    typical = rng.integers(0, vocab, (cuisines, 16))
    own = np.take_along_axis(typical[cuisine], rng.integers(0, 16, (n, 6)), axis=1)
    return np.where(rng.random((n, 6)) < 0.7, own, rng.integers(0, vocab, (n, 6))), cuisine


model = RecipeModel(80, 3, 5, jax.random.key(2))
params = model.init()
opt = optax.adam(2e-2)
opt_state = opt.init(params)


@jax.jit
def train_step(params, opt_state, ingredients, cuisine):
    def loss_fn(p):
        return optax.softmax_cross_entropy_with_integer_labels(model.apply(p, ingredients), cuisine).mean()

    loss, grads = jax.value_and_grad(loss_fn)(params)
    updates, opt_state = opt.update(grads, opt_state, params)
    return optax.apply_updates(params, updates), opt_state, loss


ingredients, cuisine = recipes(np.random.default_rng(2))
for epoch in range(20):
    for i in range(0, 500, 50):
        params, opt_state, loss = train_step(params, opt_state, ingredients[i:i + 50], cuisine[i:i + 50])
    if epoch % 5 == 4:
        acc = np.mean(np.argmax(model.apply(params, ingredients), 1) == cuisine)
        print(f"epoch {epoch} loss {loss:.3f} acc {acc:.3f}")
