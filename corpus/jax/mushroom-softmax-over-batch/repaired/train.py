import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn


class Mushrooms(nn.Module):
    kinds: int

    def setup(self):
        self.embed = nn.Embed(10, 6)
        self.mix = nn.Dense(32)
        self.head = nn.Dense(self.kinds)

    def __call__(self, attributes):
        h = self.embed(attributes).reshape(attributes.shape[0], -1)
        return self.head(nn.relu(self.mix(h)))


def nll(logits, kind):
    logp = jax.nn.log_softmax(logits, axis=-1)
    return -jnp.take_along_axis(logp, kind[:, None], axis=1).mean()


def main(batch=32, kinds=4):
    rng = np.random.default_rng(90)
    attributes = rng.integers(0, 10, (640, 8))
    rule = rng.normal(size=(8, 10, kinds))
    kind = np.stack([rule[j, attributes[:, j]] for j in range(8)]).sum(0)
    kind = (kind + np.array([3.0, 0.0, 0.0, -1.0])).argmax(1)
    model = Mushrooms(kinds)
    variables = model.init(jax.random.key(90), attributes[:1])
    opt = optax.sgd(0.3)
    opt_state = opt.init(variables)

    @jax.jit
    def step(variables, opt_state, a, k):
        loss, grads = jax.value_and_grad(lambda v: nll(model.apply(v, a), k))(variables)
        updates, opt_state = opt.update(grads, opt_state)
        return optax.apply_updates(variables, updates), opt_state, loss

    for epoch in range(8):
        for i in range(0, 640, batch):
            variables, opt_state, loss = step(variables, opt_state, attributes[i:i + batch], kind[i:i + batch])
        acc = np.mean(np.argmax(model.apply(variables, attributes), 1) == kind)
        print(f"epoch {epoch} loss {loss:.3f} acc {acc:.3f}")


main()
