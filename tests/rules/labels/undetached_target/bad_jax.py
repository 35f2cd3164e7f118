import equinox as eqx
import jax
import optax

keys = jax.random.split(jax.random.key(0), 2)
states = jax.random.normal(keys[0], (256, 4))
rewards = states[:, 0]
next_states = 0.9 * states + 0.1 * jax.random.normal(keys[1], (256, 4))
value = eqx.nn.MLP(4, "scalar", 16, 1, jax.nn.tanh, key=jax.random.key(1))
optimizer = optax.adam(0.01)
opt_state = optimizer.init(eqx.filter(value, eqx.is_array))


def loss_fn(value, states, rewards, next_states):
    target = rewards + 0.9 * jax.vmap(value)(next_states)
    return optax.l2_loss(jax.vmap(value)(states), target).mean()


@eqx.filter_jit
def train_step(value, opt_state, states, rewards, next_states):
    grads = eqx.filter_grad(loss_fn)(value, states, rewards, next_states)
    updates, opt_state = optimizer.update(grads, opt_state)
    return eqx.apply_updates(value, updates), opt_state


for step in range(60):
    value, opt_state = train_step(value, opt_state, states, rewards, next_states)
