import jax
import jax.numpy as jnp
import numpy as np
import optax

from risk import sharpe_loss


def market(rng, days=250, assets=8):
    drift = rng.uniform(-0.001, 0.002, assets)
    return (drift + 0.01 * rng.normal(size=(days, assets))).astype(np.float32)


def allocate(logits):
    return jax.nn.softmax(logits)


def main():
    returns = market(np.random.default_rng(1))
    logits = jnp.zeros(returns.shape[1])
    opt = optax.adam(0.05)
    opt_state = opt.init(logits)
    for step in range(100):
        loss, grads = jax.value_and_grad(lambda z: sharpe_loss(allocate(z), returns))(logits)
        updates, opt_state = opt.update(grads, opt_state)
        logits = optax.apply_updates(logits, updates)
        if step % 25 == 0 or step == 99:
            print(step, "loss", float(loss))


main()
