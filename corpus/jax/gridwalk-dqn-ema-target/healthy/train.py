import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn

CELLS = 10


class QNet(nn.Module):
    @nn.compact
    def __call__(self, cell):
        h = nn.relu(nn.Dense(32)(jax.nn.one_hot(cell, CELLS)))
        return nn.Dense(2)(h)


class Agent:
    def __init__(self, key, tau=0.05, gamma=0.9):
        self.net, self.tx = QNet(), optax.adam(5e-3)
        self.params = self.net.init(key, jnp.zeros((1,), jnp.int32))
        self.target = jax.tree.map(jnp.copy, self.params)
        self.opt_state = self.tx.init(self.params)

        @jax.jit
        def learn(params, target, opt_state, cell, action, reward, after, done):
            goal = reward + gamma * (1 - done) * self.net.apply(target, after).max(-1)

            def td(p):
                q = self.net.apply(p, cell)[jnp.arange(cell.shape[0]), action]
                return optax.huber_loss(q, goal).mean()

            loss, grads = jax.value_and_grad(td)(params)
            updates, opt_state = self.tx.update(grads, opt_state)
            params = optax.apply_updates(params, updates)
            return params, optax.incremental_update(params, target, tau), opt_state, loss

        self._learn = learn

    def act(self, cell, rng, eps):
        if rng.random() < eps:
            return int(rng.integers(2))
        return int(np.argmax(self.net.apply(self.params, jnp.array([cell]))[0]))

    def learn(self, batch):
        self.params, self.target, self.opt_state, loss = self._learn(self.params, self.target, self.opt_state, *batch)
        return float(loss)


rng, agent, memory, losses = np.random.default_rng(0), Agent(jax.random.PRNGKey(0)), [], []
for episode in range(25):
    cell, steps = int(rng.integers(1, CELLS - 1)), 0
    while steps < 20:
        action = agent.act(cell, rng, eps=max(0.2, 1 - episode / 10))
        after = cell + (1 if action else -1)
        done = after in (0, CELLS - 1)
        memory.append((cell, action, float(after == CELLS - 1), after, float(done)))
        cell, steps = after, steps + 1
        if len(memory) >= 32:
            rows = [memory[i] for i in rng.integers(0, len(memory), 32)]
            losses.append(agent.learn([np.array(c) for c in zip(*rows)]))
        if done:
            break
q = np.asarray(agent.net.apply(agent.params, jnp.arange(CELLS)))
print("td loss", losses[0], "->", np.mean(losses[-20:]), "right is best in", int((q[1:-1].argmax(1) == 1).sum()), "of", CELLS - 2)
