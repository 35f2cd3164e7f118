import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import optax


class Pooled(eqx.Module):
    table: jax.Array
    query: jax.Array
    head: jax.Array

    def __init__(self, vocab, dim, classes, key):
        a, b, c = jr.split(key, 3)
        self.table = jr.normal(a, (vocab, dim)) * 0.3
        self.query = jr.normal(b, (dim, 1)) * 0.3
        self.head = jr.normal(c, (dim, classes)) * 0.3

    def __call__(self, words):
        h = self.table[words]
        scores = h @ self.query
        weights = jax.nn.softmax(scores, axis=0)
        return jnp.sum(weights * h, axis=1) @ self.head


def sentences(key, n=512, length=24, vocab=60, classes=5):
    a, b, c = jr.split(key, 3)
    words = jr.randint(a, (n, length), classes, vocab)
    topic = jr.randint(b, (n,), 0, classes)
    place = jr.randint(c, (n,), 0, length)
    return words.at[jnp.arange(n), place].set(topic), topic


words, topic = sentences(jr.key(11))
model = Pooled(60, 8, 5, jr.key(12))
optim = optax.sgd(0.5, momentum=0.9)
opt_state = optim.init(model)


@eqx.filter_jit
def make_step(model, opt_state, w, t):
    def loss_fn(m):
        return optax.softmax_cross_entropy_with_integer_labels(m(w), t).mean()

    loss, grads = eqx.filter_value_and_grad(loss_fn)(model)
    updates, opt_state = optim.update(grads, opt_state, model)
    return eqx.apply_updates(model, updates), opt_state, loss


for epoch in range(16):
    for i in range(0, 512, 64):
        model, opt_state, loss = make_step(model, opt_state, words[i:i + 64], topic[i:i + 64])
    if epoch % 3 == 2:
        alone = jax.vmap(lambda w: model(w[None])[0].argmax())(words)
        print(f"epoch {epoch} loss {loss:.3f} acc one by one {jnp.mean(alone == topic):.3f}")
