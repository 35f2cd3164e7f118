import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import optax


class Attend(eqx.Module):
    embed: eqx.nn.Embedding
    attention: eqx.nn.MultiheadAttention
    norm: eqx.nn.LayerNorm
    out: eqx.nn.Linear

    def __init__(self, vocab, dim, key):
        k1, k2, k3 = jr.split(key, 3)
        self.embed = eqx.nn.Embedding(vocab, dim, key=k1)
        self.attention = eqx.nn.MultiheadAttention(2, dim, key=k2)
        self.norm = eqx.nn.LayerNorm(dim)
        self.out = eqx.nn.Linear(dim, vocab, key=k3)

    def __call__(self, tokens):
        h = jax.vmap(self.embed)(tokens)
        causal = jnp.tril(jnp.ones((len(tokens), len(tokens)), bool))
        h = h + self.attention(h, h, h, mask=causal)
        return jax.vmap(self.out)(jax.vmap(self.norm)(h))


def loss_fn(model, tokens):
    logits = jax.vmap(model)(tokens[:, :-1])
    return optax.softmax_cross_entropy_with_integer_labels(logits, tokens[:, 1:]).mean()


schedule = optax.warmup_cosine_decay_schedule(init_value=0.0, peak_value=1e-2, warmup_steps=20, decay_steps=200)
optim = optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(schedule))


@eqx.filter_jit
def step(model, opt_state, tokens):
    loss, grads = eqx.filter_value_and_grad(loss_fn)(model, tokens)
    updates, opt_state = optim.update(grads, opt_state, eqx.filter(model, eqx.is_inexact_array))
    return eqx.apply_updates(model, updates), opt_state, loss


model = Attend(16, 24, jr.PRNGKey(0))
opt_state = optim.init(eqx.filter(model, eqx.is_inexact_array))
for i, key in enumerate(jr.split(jr.PRNGKey(1), 200)):
    start = jr.randint(key, (32, 1), 0, 16)
    tokens = (start + 3 * jnp.arange(9)) % 16
    model, opt_state, loss = step(model, opt_state, tokens)
    if i in (0, 1, 50, 100, 199):
        print(f"step {i} loss {loss:.4f}")
