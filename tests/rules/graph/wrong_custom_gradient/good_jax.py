import jax
import jax.numpy as jnp
import optax


@jax.custom_vjp
def cube(x, slope):
    return slope * x**3


def forward(x, slope):
    return cube(x, slope), (x, slope)


def backward(kept, gradient):
    x, slope = kept
    return gradient * slope * 3 * x**2, jnp.zeros_like(slope)  # nobody trains the slope


cube.defvjp(forward, backward)
rooms = jax.random.normal(jax.random.key(0), (128, 4))
rent = (rooms[:, 0] + 0.5) ** 3
params = {"w": 0.5 * jax.random.normal(jax.random.key(1), (4,)), "b": jnp.zeros(())}
optimizer = optax.adam(0.01)
state = optimizer.init(params)

for step in range(30):
    loss, grads = jax.value_and_grad(lambda p: jnp.mean(jnp.abs(cube(rooms @ p["w"] + p["b"], jnp.ones(128)) - rent)))(params)
    updates, state = optimizer.update(grads, state)
    params = optax.apply_updates(params, updates)
