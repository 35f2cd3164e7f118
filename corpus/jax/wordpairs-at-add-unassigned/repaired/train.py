import jax
import jax.numpy as jnp
import numpy as np

VOCAB, DIM = 50, 8


def pair_loss(u, v, together):
    score = jnp.sum(u * v, axis=-1)
    return jnp.sum(jax.nn.softplus(jnp.where(together, -score, score)))


grad_rows = jax.jit(jax.value_and_grad(pair_loss, argnums=(0, 1)))


def learn(params, centre, context, together, rate):
    loss, (g_centre, g_context) = grad_rows(params["centre"][centre], params["context"][context], together)
    params["centre"] = params["centre"].at[centre].add(-rate * g_centre)
    params["context"] = params["context"].at[context].add(-rate * g_context)
    return loss / len(centre)


def corpus(rng, n):
    centre = rng.integers(0, VOCAB, n)
    together = rng.random(n) < 0.5
    other = rng.integers(0, VOCAB, n)
    same = (centre % 5) + 5 * rng.integers(0, VOCAB // 5, n)
    return centre, np.where(together, same, other), together


rng = np.random.default_rng(3)
k1, k2 = jax.random.split(jax.random.key(3))
params = {"centre": 0.3 * jax.random.normal(k1, (VOCAB, DIM)), "context": 0.3 * jax.random.normal(k2, (VOCAB, DIM))}
for step in range(600):
    loss = learn(params, *corpus(rng, 100), rate=0.1)
    if step % 150 == 149:
        print(f"step {step + 1} loss {loss:.4f}")
