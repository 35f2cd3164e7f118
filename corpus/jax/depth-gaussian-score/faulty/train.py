import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import optax
from jax.scipy.special import logsumexp
from jax.scipy.stats import norm


class Mixture(eqx.Module):
    weights: jax.Array
    centres: jax.Array
    log_widths: jax.Array

    def __init__(self, parts, key):
        self.weights = jnp.zeros(parts)
        self.centres = jr.normal(key, (parts,))
        self.log_widths = jnp.zeros(parts)

    def log_density(self, depth):
        parts = jax.nn.log_softmax(self.weights) + norm.logpdf(depth, self.centres, jnp.exp(self.log_widths))
        return logsumexp(parts)

    def score(self, depths):
        return jnp.mean(jax.vmap(self.log_density)(depths))


def objective(model, depths):
    return model.score(depths)


depths = jnp.concatenate([2.5 + 0.3 * jr.normal(jr.key(0), (300,)), -1.0 + 0.6 * jr.normal(jr.key(1), (300,))])
model = Mixture(3, jr.key(7))
optim = optax.adam(2e-2)
opt_state = optim.init(eqx.filter(model, eqx.is_inexact_array))


@eqx.filter_jit
def step(model, opt_state):
    value, grads = eqx.filter_value_and_grad(objective)(model, depths)
    updates, opt_state = optim.update(grads, opt_state)
    return eqx.apply_updates(model, updates), opt_state, value


for i in range(300):
    model, opt_state, value = step(model, opt_state)
    if i % 60 == 0:
        print(f"{i:4d} objective {value:.3f}")
print("log density of the data", float(model.score(depths)), "centres", model.centres)
