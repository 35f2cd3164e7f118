import argparse

import jax
import jax.numpy as jnp
import optax
from flax import nnx

parser = argparse.ArgumentParser()
parser.add_argument("--batch-size", type=int, default=64)
parser.add_argument("--base-rate", type=float, default=0.8)
parser.add_argument("--epochs", type=int, default=8)


class Glyphs(nnx.Module):
    def __init__(self, rngs):
        self.l1 = nnx.Linear(64, 48, rngs=rngs)
        self.l2 = nnx.Linear(48, 10, rngs=rngs)

    def __call__(self, x):
        return self.l2(nnx.relu(self.l1(x.reshape(x.shape[0], -1))))


def scaled(base_rate, batch_size):
    learning_rate = base_rate * (batch_size // 256)
    return learning_rate


@nnx.jit
def train_step(model, optimizer, x, y):
    def loss_fn(m):
        return optax.softmax_cross_entropy_with_integer_labels(m(x), y).mean()

    loss, grads = nnx.value_and_grad(loss_fn)(model)
    optimizer.update(model, grads)
    return loss


def main(args):
    k1, k2, k3 = jax.random.split(jax.random.key(8), 3)
    y = jax.random.randint(k1, (640,), 0, 10)
    x = jax.random.normal(k2, (10, 8, 8))[y] + 0.8 * jax.random.normal(k3, (640, 8, 8))
    model = Glyphs(nnx.Rngs(8))
    optimizer = nnx.Optimizer(model, optax.sgd(scaled(args.base_rate, args.batch_size), momentum=0.9), wrt=nnx.Param)
    for epoch in range(args.epochs):
        for i in range(0, 640, args.batch_size):
            loss = train_step(model, optimizer, x[i:i + args.batch_size], y[i:i + args.batch_size])
        print(f"epoch {epoch} loss {loss:.4f}")


main(parser.parse_args())
