import functools

import jax
import jax.numpy as jnp
import optax
from flax import linen as nn
from flax.training.train_state import TrainState

VOCAB, LENGTH = 12, 10


class Writer(nn.Module):
    dim: int = 24

    def setup(self):
        self.embed = nn.Embed(VOCAB, self.dim)
        self.place = nn.Embed(LENGTH, self.dim)
        self.attention = nn.SelfAttention(num_heads=2)
        self.norm1, self.norm2 = nn.LayerNorm(), nn.LayerNorm()
        self.out = nn.Dense(VOCAB)

    def __call__(self, tokens):
        h = self.embed(tokens) + self.place(jnp.arange(tokens.shape[1]))
        h = h + self.attention(self.norm1(h), mask=nn.make_causal_mask(tokens))
        return self.out(self.norm2(h))


@functools.partial(jax.jit, static_argnums=1)
def sentences(key, n):
    start = jax.random.randint(key, (n, 2), 0, VOCAB)
    words = [start[:, 0], start[:, 1]]
    for _ in range(LENGTH - 1):
        words.append((words[-1] + words[-2]) % VOCAB)
    return jnp.stack(words, axis=1)


@jax.jit
def step(state, tokens):
    def loss_fn(params):
        logits = state.apply_fn({"params": params}, tokens[:, :-1])
        return optax.softmax_cross_entropy_with_integer_labels(logits, tokens[:, 1:]).mean()

    loss, grads = jax.value_and_grad(loss_fn)(state.params)
    return state.apply_gradients(grads=grads), loss


model = Writer()
tokens = sentences(jax.random.PRNGKey(0), 64)
state = TrainState.create(apply_fn=model.apply, params=jax.jit(model.init)(jax.random.PRNGKey(1), tokens[:1, :-1])["params"], tx=optax.adam(1e-2))
for i, key in enumerate(jax.random.split(jax.random.PRNGKey(2), 240)):
    state, loss = step(state, sentences(key, 64))
    if i % 80 == 79:
        print(f"step {i + 1} loss {loss:.4f}")
probe = sentences(jax.random.PRNGKey(9), 256)
blind = probe[:, :-1].at[:, 6:].set(0)
guess = jax.jit(model.apply)({"params": state.params}, blind)[:, 5].argmax(-1)
print("next word right when the future is hidden", float(jnp.mean(guess == probe[:, 6])))
