import jax
import jax.numpy as jnp
import optax
from jax import lax, random


def init(key, vocab, hidden):
    ks = random.split(key, 4)
    return {"emb": 0.3 * random.normal(ks[0], (vocab, hidden)), "wh": random.normal(ks[1], (hidden, hidden)) / hidden ** 0.5,
            "wx": random.normal(ks[2], (hidden, hidden)) / hidden ** 0.5, "out": 0.3 * random.normal(ks[3], (hidden, vocab))}


def run(params, tokens):
    def cell(h, x):
        h = jnp.tanh(h @ params["wh"] + x @ params["wx"])
        return h, h @ params["out"]

    x = params["emb"][tokens].swapaxes(0, 1)
    _, logits = lax.scan(cell, jnp.zeros((tokens.shape[0], params["wh"].shape[0])), x)
    return logits.swapaxes(0, 1)


def loss_fn(params, source, target):
    return optax.softmax_cross_entropy_with_integer_labels(run(params, source), target).mean()


optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.sgd(0.5, momentum=0.9))


@jax.jit
def step(params, opt_state, key):
    source = random.randint(key, (32, 8), 0, 12)
    target = (source + 5) % 12
    loss, grads = jax.value_and_grad(loss_fn)(params, source, target)
    updates, opt_state = optimizer.update(grads, opt_state)
    return optax.apply_updates(params, updates), opt_state, loss


params = init(random.PRNGKey(1), 12, 24)
opt_state = optimizer.init(params)
for i, key in enumerate(random.split(random.PRNGKey(2), 200)):
    params, opt_state, loss = step(params, opt_state, key)
    if i % 50 == 0 or i == 199:
        print(f"step {i} loss {loss:.6f}")
