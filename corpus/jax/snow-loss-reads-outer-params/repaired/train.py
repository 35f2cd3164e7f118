import jax
import jax.numpy as jnp
import optax
from jax import random


def predict(params, snow):
    h = jax.nn.swish(snow @ params["w1"] + params["b1"])
    return (h @ params["w2"] + params["b2"])[..., 0]


key = random.PRNGKey(3)
k1, k2, k3, k4 = random.split(key, 4)
snow = random.normal(k1, (300, 6))
slide = (snow[:, 0] * snow[:, 1] + snow[:, 2] + 0.2 * random.normal(k2, (300,)) > 0.4).astype(jnp.float32)
params = {"w1": random.normal(k3, (6, 32)) / 6 ** 0.5, "b1": jnp.zeros(32),
          "w2": random.normal(k4, (32, 1)) / 32 ** 0.5, "b2": jnp.zeros(1)}
optimizer = optax.adam(1e-2)
opt_state = optimizer.init(params)


def loss_fn(p, snow, slide):
    risk = predict(p, snow)
    return optax.sigmoid_binary_cross_entropy(risk, slide).mean()


for epoch in range(60):
    loss, grads = jax.value_and_grad(loss_fn)(params, snow, slide)
    updates, opt_state = optimizer.update(grads, opt_state)
    params = optax.apply_updates(params, updates)
    if epoch % 20 == 0 or epoch == 59:
        right = jnp.mean((predict(params, snow) > 0) == slide)
        print(f"epoch {epoch} loss {loss:.5f} right {right:.3f} gradient {optax.global_norm(grads):.5f}")
