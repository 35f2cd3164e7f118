import jax
import jax.numpy as jnp
from jax import grad, jit, random

CLASSES = 7


def net(params, x):
    (w1, b1), (w2, b2) = params
    h = jax.nn.relu(jnp.dot(x, w1) + b1)
    return jnp.dot(h, w2) + b2


def loss(params, strokes, target):
    p = jax.nn.softmax(net(params, strokes))
    return -jnp.mean(jnp.sum(target * jnp.log(p), axis=1))


@jit
def update(params, strokes, target):
    grads = grad(loss)(params, strokes, target)
    return [(w - 0.05 * dw, b - 0.05 * db) for (w, b), (dw, db) in zip(params, grads)]


def accuracy(params, strokes, target):
    return jnp.mean(jnp.argmax(net(params, strokes), 1) == jnp.argmax(target, 1))


ks = random.split(random.PRNGKey(70), 5)
kind = random.randint(ks[0], (420,), 0, CLASSES)
strokes = random.normal(ks[1], (CLASSES, 14))[kind] + 0.5 * random.normal(ks[2], (420, 14))
target = jax.nn.one_hot(kind, CLASSES)
params = [(0.3 * random.normal(ks[3], (14, 40)), jnp.zeros(40)), (0.2 * random.normal(ks[4], (40, CLASSES)), jnp.zeros(CLASSES))]
for epoch in range(10):
    for i in range(0, 420, 30):
        params = update(params, strokes[i:i + 30], target[i:i + 30])
    if epoch % 3 == 0:
        print(epoch, float(loss(params, strokes, target)), float(accuracy(params, strokes, target)))
