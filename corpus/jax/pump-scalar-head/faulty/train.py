import equinox as eqx
import jax
import jax.numpy as jnp
import optax


def history(key, steps=600, window=12):
    t = jnp.arange(steps) * 0.2
    signal = jnp.sin(t) + 0.5 * jnp.sin(2.7 * t) + 0.05 * jax.random.normal(key, (steps,))
    readings = jnp.stack([signal[i:i + window] for i in range(steps - window)])
    level = signal[window:, None]
    return readings, level


@eqx.filter_value_and_grad
def forecast_loss(model, readings, level):
    forecast = jax.vmap(model)(readings)
    return jnp.mean(optax.huber_loss(forecast, level))


class Trainer:
    def __init__(self, model, rate):
        self.model = model
        self.optim = optax.adam(rate)
        self.state = self.optim.init(eqx.filter(model, eqx.is_inexact_array))

        @eqx.filter_jit
        def step(model, state, readings, level):
            loss, grads = forecast_loss(model, readings, level)
            updates, state = self.optim.update(grads, state)
            return eqx.apply_updates(model, updates), state, loss

        self._step = step

    def epoch(self, key, readings, level, size=49):
        order = jax.random.permutation(key, len(readings))
        for i in range(0, len(order) - size, size):
            rows = order[i:i + size]
            self.model, self.state, loss = self._step(self.model, self.state, readings[rows], level[rows])
        return loss


key = jax.random.PRNGKey(2)
readings, level = history(key)
trainer = Trainer(eqx.nn.MLP(12, "scalar", 32, 2, key=key), 3e-3)
for epoch in range(10):
    key, sub = jax.random.split(key)
    loss = trainer.epoch(sub, readings, level)
    if epoch % 3 == 0:
        print(epoch, float(loss))
guess = jax.vmap(trainer.model)(readings)
print("final mse", float(jnp.mean((guess - level.ravel()) ** 2)), "variance", float(level.var()))
