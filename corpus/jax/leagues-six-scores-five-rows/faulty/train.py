import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import optax

LEAGUES = 6


class LeagueNet(eqx.Module):
    first: eqx.nn.Linear
    last: eqx.nn.Linear

    def __init__(self, key):
        k1, k2 = jr.split(key)
        self.first = eqx.nn.Linear(10, 24, key=k1)
        self.last = eqx.nn.Linear(24, LEAGUES, key=k2)

    def __call__(self, season):
        return self.last(jax.nn.tanh(self.first(season)))


def loss_fn(model, season, league):
    rows = jax.nn.one_hot(league, 5)
    return optax.softmax_cross_entropy(jax.vmap(model)(season), rows).mean()


@eqx.filter_jit
def step(model, opt_state, season, league):
    loss, grads = eqx.filter_value_and_grad(loss_fn)(model, season, league)
    updates, opt_state = optim.update(grads, opt_state)
    return eqx.apply_updates(model, updates), opt_state, loss


league = jr.randint(jr.key(0), (320,), 0, LEAGUES)
season = jr.normal(jr.key(1), (LEAGUES, 10))[league] + 0.5 * jr.normal(jr.key(2), (320, 10))
model = LeagueNet(jr.key(3))
optim = optax.adam(1e-2)
opt_state = optim.init(eqx.filter(model, eqx.is_inexact_array))
for epoch in range(8):
    for i in range(0, 320, 32):
        model, opt_state, loss = step(model, opt_state, season[i:i + 32], league[i:i + 32])
    print(f"epoch {epoch} loss {loss:.4f}")
