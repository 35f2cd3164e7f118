import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax

from data import utterances
from model import Tagger


def masked_loss(logits, phones, lengths):
    frames = logits.shape[1]
    valid = lengths.astype(jnp.int32)
    mask = (jnp.arange(frames)[None, :] < valid[:, None]).astype(jnp.float32)
    nll = optax.softmax_cross_entropy_with_integer_labels(logits, phones)
    return jnp.sum(nll * mask) / jnp.maximum(jnp.sum(mask), 1.0)


@functools.partial(jax.jit, static_argnums=(0, 1))
def step(model, tx, params, opt_state, feats, phones, lengths):
    def loss_fn(p):
        return masked_loss(model.apply(p, feats), phones, lengths)

    loss, grads = jax.value_and_grad(loss_fn)(params)
    updates, opt_state = tx.update(grads, opt_state, params)
    return optax.apply_updates(params, updates), opt_state, loss


def run():
    rng = np.random.default_rng(8)
    model, tx = Tagger(12), optax.adam(5e-3)
    feats, phones, lengths = utterances(rng, 240)
    params = model.init(jax.random.PRNGKey(8), feats[:1])
    opt_state = tx.init(params)
    for epoch in range(6):
        for i in range(0, 240, 24):
            s = slice(i, i + 24)
            params, opt_state, loss = step(model, tx, params, opt_state, feats[s], phones[s], lengths[s])
        right = np.mean(np.argmax(model.apply(params, feats), -1) == phones)
        print(f"epoch {epoch} loss {loss:.4f} frames right {right:.3f}")


run()
