import functools

import jax
import jax.numpy as jnp
import optax
from flax import linen as nn

Dense = functools.partial(nn.Dense, dtype=jnp.float32, param_dtype=jnp.bfloat16)


class HerbNet(nn.Module):
    @nn.compact
    def __call__(self, scent):
        h = nn.relu(Dense(64, use_bias=False)(scent))
        return Dense(5, use_bias=False)(h)


net = HerbNet()
tx = optax.adam(2e-5)


@jax.jit
def train(params, opt_state, scent, herb):
    def body(carry, _):
        params, opt_state = carry
        loss, grads = jax.value_and_grad(
            lambda p: optax.softmax_cross_entropy_with_integer_labels(net.apply(p, scent), herb).mean())(params)
        updates, opt_state = tx.update(grads, opt_state)
        return (optax.apply_updates(params, updates), opt_state), loss

    (params, opt_state), losses = jax.lax.scan(body, (params, opt_state), None, length=1000)
    return params, opt_state, losses


ks = jax.random.split(jax.random.key(59), 4)
herb = jax.random.randint(ks[0], (256,), 0, 5)
scent = jax.random.normal(ks[1], (5, 30))[herb] + 0.5 * jax.random.normal(ks[2], (256, 30))
params = net.init(ks[3], scent[:1])
opt_state = tx.init(params)
for stage in range(3):
    params, opt_state, losses = train(params, opt_state, scent, herb)
    print(f"after {1000 * (stage + 1)} steps loss {losses[-1]:.4f}")
