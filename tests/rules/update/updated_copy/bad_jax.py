import jax
import jax.numpy as jnp

rooms = jax.random.normal(jax.random.key(0), (128, 4))
rent = rooms[:, 0] - rooms[:, 1]
params = {"w": jnp.zeros(4), "b": jnp.zeros(())}
rate = 0.1


@jax.jit
def gradients(params):
    return jax.grad(lambda p: jnp.mean((rooms @ p["w"] + p["b"] - rent) ** 2))(params)


for step in range(30):
    grads = gradients(params)
    for name, weight in params.items():
        weight = weight - rate * grads[name]
