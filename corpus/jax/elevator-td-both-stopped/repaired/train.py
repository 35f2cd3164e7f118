import jax
import jax.numpy as jnp
import numpy as np
import optax

FLOORS, ACTIONS = 8, 2


def q_values(params, floor):
    h = jax.nn.relu(jax.nn.one_hot(floor, FLOORS) @ params["w1"] + params["b1"])
    return h @ params["w2"] + params["b2"]


def td_loss(params, target_params, batch, discount=0.9):
    floor, action, reward, after, done = batch
    chosen = jnp.take_along_axis(q_values(params, floor), action[:, None], axis=1)[:, 0]
    best = q_values(target_params, after).max(axis=1)
    delta = jax.lax.stop_gradient(reward + discount * (1 - done) * best) - chosen
    return jnp.mean(delta ** 2)


def ride(rng, n):
    floor = rng.integers(0, FLOORS - 1, n)
    action = rng.integers(0, ACTIONS, n)
    after = np.clip(floor + np.where(action == 1, 1, -1), 0, FLOORS - 1)
    done = (after == FLOORS - 1).astype(np.float32)
    return floor, action, done.copy(), after, done


optimizer = optax.adam(1e-2)


@jax.jit
def learn(params, target_params, opt_state, batch):
    loss, grads = jax.value_and_grad(td_loss)(params, target_params, batch)
    updates, opt_state = optimizer.update(grads, opt_state)
    return optax.apply_updates(params, updates), opt_state, loss


k1, k2 = jax.random.split(jax.random.PRNGKey(88))
params = {"w1": 0.5 * jax.random.normal(k1, (FLOORS, 24)), "b1": jnp.zeros(24), "w2": 0.3 * jax.random.normal(k2, (24, ACTIONS)), "b2": jnp.zeros(ACTIONS)}
target_params, opt_state, rng = params, optimizer.init(params), np.random.default_rng(88)
for step in range(600):
    params, opt_state, loss = learn(params, target_params, opt_state, ride(rng, 64))
    if step % 20 == 19:
        target_params = params
    if step % 150 == 149:
        print(step + 1, "td loss", float(loss))
values = q_values(params, jnp.arange(FLOORS - 1))
truth = 0.9 ** jnp.arange(FLOORS - 2, -1, -1)
print("floors where up is best", int((values.argmax(1) == 1).sum()), "error of the values", float(jnp.abs(values[:, 1] - truth).mean()))
