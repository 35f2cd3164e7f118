"""The Python interface with models of JAX; prints what came of each as JSON."""

import json

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from flax import nnx

import whygrad

found = {}
x = jax.random.normal(jax.random.key(0), (16, 6))
y = jax.random.randint(jax.random.key(1), (16,), 0, 3)


def told(report):
    return {"healthy": report.healthy, "causes": [(c.name, c.site.text.strip() if c.site else "") for c in report.root_causes], "faults": report.faults}


def init(key):
    return {"first": jax.random.normal(key, (6, 8)) * 0.4, "last": jax.random.normal(key, (8, 3)) * 0.4}


def apply(params, x):
    return jnp.tanh(x @ params["first"]) @ params["last"]


def cut(params, x):
    return jax.lax.stop_gradient(jnp.tanh(x @ params["first"])) @ params["last"]


def cross_entropy(scores, labels):
    return optax.softmax_cross_entropy_with_integer_labels(scores, labels).mean()


def ignoring(scores, labels):
    return (scores**2).mean()


params = init(jax.random.key(2))
report = whygrad.diagnose((apply, params), cross_entropy, x, y)
found["sound"] = told(report)
found["label_sensitivity"] = report.measures.label_sensitivity
found["learns"] = whygrad.learns((apply, params), cross_entropy, x, y)
found["cut"] = told(whygrad.diagnose((cut, params), cross_entropy, x, y))
found["unused"] = told(whygrad.diagnose((apply, params), ignoring, x, y))
found["unused lambda"] = told(whygrad.diagnose((apply, params), lambda scores, labels: (scores**2).mean(), x, y))
report = whygrad.diagnose((apply, params), cross_entropy, x[:, :5], y)
found["raises"] = told(report)


def refusing(params, x):
    raise LookupError("no such table")


found["raises text"] = str(whygrad.diagnose((refusing, params), cross_entropy, x, y))


class Net(nnx.Module):
    def __init__(self, rngs):
        self.first, self.norm, self.last = nnx.Linear(6, 8, rngs=rngs), nnx.BatchNorm(8, rngs=rngs), nnx.Linear(8, 3, rngs=rngs)

    def __call__(self, x):
        return self.last(nnx.relu(self.norm(self.first(x))))


model = Net(nnx.Rngs(0))
before = jax.tree_util.tree_leaves(nnx.state(model))
found["nnx"] = told(whygrad.diagnose(model, cross_entropy, x, y))
found["nnx learns"] = whygrad.learns(model, cross_entropy, x, y)
found["untouched"] = all(bool((a == b).all()) for a, b in zip(before, jax.tree_util.tree_leaves(nnx.state(model))) if hasattr(a, "shape") and a.dtype == jnp.float32)


class Batched(eqx.Module):
    mlp: eqx.nn.MLP

    def __call__(self, x):
        return jax.vmap(self.mlp)(x)


batched = Batched(eqx.nn.MLP(6, 3, 8, 1, key=jax.random.key(3)))
found["equinox"] = told(whygrad.diagnose(batched, cross_entropy, x, y))
found["equinox learns"] = whygrad.learns(batched, cross_entropy, x, y)

tx = optax.sgd(0.1)
state = tx.init(params)
with whygrad.recording() as run:
    for _ in range(3):
        loss, grads = jax.value_and_grad(lambda p: cross_entropy(apply(p, x), y))(params)
        updates, state = tx.update(grads, state)
        params = optax.apply_updates(params, updates)
found["recording"] = told(run.report)
print(json.dumps(found))
