import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import optax


def play(policy, key, n=64):
    k1, k2 = jr.split(key)
    light = jr.randint(k1, (n,), 0, 4)
    logits = jax.vmap(policy)(jax.nn.one_hot(light, 4))
    action = jr.categorical(k2, logits)
    reward = (action == (light + 1) % 3).astype(jnp.float32)
    return light, action, reward


@eqx.filter_value_and_grad
def surrogate(policy, light, action, advantage):
    logits = jax.vmap(policy)(jax.nn.one_hot(light, 4))
    log_prob = jnp.take_along_axis(jax.nn.log_softmax(logits), action[:, None], 1)[:, 0]
    return -jnp.mean(log_prob * jax.lax.stop_gradient(advantage))


@eqx.filter_jit
def step(policy, opt_state, baseline, key):
    light, action, reward = play(policy, key)
    loss, grads = surrogate(policy, light, action, reward - baseline)
    updates, opt_state = optim.update(grads, opt_state)
    baseline = 0.9 * baseline + 0.1 * reward.mean()
    return eqx.apply_updates(policy, updates), opt_state, baseline, loss, reward.mean()


policy = eqx.nn.MLP(4, 3, 16, 1, key=jr.PRNGKey(3))
optim = optax.adam(1e-2)
opt_state, baseline = optim.init(eqx.filter(policy, eqx.is_inexact_array)), jnp.asarray(0.0)
for i, key in enumerate(jr.split(jr.PRNGKey(4), 200)):
    policy, opt_state, baseline, loss, score = step(policy, opt_state, baseline, key)
    if i % 50 == 49:
        print(f"round {i + 1} loss {loss:.3f} score {score:.3f}")
