import jax
import optax
from flax import linen as nn

words = jax.random.randint(jax.random.key(0), (64, 8), 0, 50)
labels = (words[:, 0] > 24).astype(int)


class Classifier(nn.Module):
    @nn.compact
    def __call__(self, words, labels=None):
        scores = nn.Dense(2)(nn.Embed(50, 16)(words).mean(axis=1))
        if labels is None:
            return None, scores
        return optax.softmax_cross_entropy_with_integer_labels(scores, labels).mean(), scores


model = Classifier()
params = model.init(jax.random.key(1), words)
optimizer = optax.adamw(0.01)
state = optimizer.init(params)


@jax.jit
def train_step(params, state, words, labels):
    grads, scores = jax.grad(model.apply, has_aux=True)(params, words, labels)
    updates, state = optimizer.update(grads, state, params)
    return optax.apply_updates(params, updates), state


for step in range(20):
    params, state = train_step(params, state, words, labels)
