"""The same network with the same fault, in each framework: the same kinds of op, the same reach of the gradient, the same diagnosis."""

import json
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from program_pool import Pools
from whygrad.flow import Index
from whygrad.ir import Record
from whygrad.ir.files import read_record

TORCH = """
import torch
torch.manual_seed(0)
x = torch.randn(32, 5)
y = x[:, :1] * 2 - x[:, 1:2]
w1 = torch.nn.Parameter(torch.randn(5, 8) * 0.4)
w2 = torch.nn.Parameter(torch.randn(8, 1) * 0.4)
optimizer = torch.optim.SGD([w1, w2], lr=0.05)

def objective(prediction, target):
    {loss}

for step in range(12):
    hidden = {hidden}
    loss = objective(hidden @ w2, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
TENSORFLOW = """
import keras
import tensorflow as tf
tf.random.set_seed(0)
x = tf.random.normal((32, 5))
y = x[:, :1] * 2 - x[:, 1:2]
w1 = tf.Variable(tf.random.normal((5, 8)) * 0.4)
w2 = tf.Variable(tf.random.normal((8, 1)) * 0.4)
optimizer = keras.optimizers.SGD(0.05)

def objective(prediction, target):
    {loss}

for step in range(12):
    with tf.GradientTape() as tape:
        hidden = {hidden}
        loss = objective(hidden @ w2, y)
    gradients = tape.gradient(loss, [w1, w2])
    optimizer.apply_gradients([(g, w) for g, w in zip(gradients, [w1, w2]) if g is not None])
"""
JAX = """
import jax
import jax.numpy as jnp
import optax
keys = jax.random.split(jax.random.key(0), 3)
x = jax.random.normal(keys[0], (32, 5))
y = x[:, :1] * 2 - x[:, 1:2]
params = {{"w1": jax.random.normal(keys[1], (5, 8)) * 0.4, "w2": jax.random.normal(keys[2], (8, 1)) * 0.4}}
optimizer = optax.sgd(0.05)
state = optimizer.init(params)

def objective(prediction, target):
    {loss}

def run(params, x, y):
    w1, w2 = params["w1"], params["w2"]
    hidden = {hidden}
    return objective(hidden @ w2, y)

for step in range(12):
    loss, gradients = jax.value_and_grad(run)(params, x, y)
    updates, state = optimizer.update(gradients, state)
    params = optax.apply_updates(params, updates)
"""
FRAMEWORKS = {"torch": TORCH, "tensorflow": TENSORFLOW, "jax": JAX}
SQUARED = {
    "torch": "return ((prediction - target) ** 2).mean()",
    "tensorflow": "return tf.reduce_mean((prediction - target) ** 2)",
    "jax": "return jnp.mean((prediction - target) ** 2)",
}
LAYER = {"torch": "torch.tanh(x @ w1)", "tensorflow": "tf.tanh(x @ w1)", "jax": "jnp.tanh(x @ w1)"}
FAULTS = {
    "none": (None, {}, {}),
    "labels that the loss does not read": (
        "WG101",
        {
            "torch": "return (prediction ** 2).mean()",
            "tensorflow": "return tf.reduce_mean(prediction ** 2)",
            "jax": "return jnp.mean(prediction ** 2)",
        },
        {},
    ),
    "a layer cut off": (
        "WG301",
        {},
        {
            "torch": "torch.tanh(x @ w1).detach()",
            "tensorflow": "tf.stop_gradient(tf.tanh(x @ w1))",
            "jax": "jax.lax.stop_gradient(jnp.tanh(x @ w1))",
        },
    ),
    "a row against a column": (
        "WG203",
        {
            "torch": "return ((prediction - target[:, 0]) ** 2).mean()",
            "tensorflow": "return tf.reduce_mean((prediction - target[:, 0]) ** 2)",
            "jax": "return jnp.mean((prediction - target[:, 0]) ** 2)",
        },
        {},
    ),
    "rounding on the way": (
        "WG304",
        {},
        {"torch": "torch.round(x @ w1)", "tensorflow": "tf.round(x @ w1)", "jax": "jnp.round(x @ w1)"},
    ),
    "signs on the way": (
        "WG304",
        {},
        {"torch": "torch.sign(x @ w1)", "tensorflow": "tf.sign(x @ w1)", "jax": "jnp.sign(x @ w1)"},
    ),
    "a mean difference, in which the labels cancel": (
        "WG102",
        {
            "torch": "return (prediction - target).mean()",
            "tensorflow": "return tf.reduce_mean(prediction - target)",
            "jax": "return jnp.mean(prediction - target)",
        },
        {},
    ),
    "an error that is maximised": (
        "WG215",
        {
            "torch": "return -((prediction - target) ** 2).mean()",
            "tensorflow": "return -tf.reduce_mean((prediction - target) ** 2)",
            "jax": "return -jnp.mean((prediction - target) ** 2)",
        },
        {},
    ),
    "a logarithm of what is below zero": (
        "WG502",
        {
            "torch": "return (torch.log(prediction) - target).square().mean()",
            "tensorflow": "return tf.reduce_mean(tf.square(tf.math.log(prediction) - target))",
            "jax": "return jnp.mean(jnp.square(jnp.log(prediction) - target))",
        },
        {},
    ),
    "a root of zero": (
        "WG503",
        {},
        {
            "torch": "torch.sqrt((x @ w1 - x @ w1) ** 2)",
            "tensorflow": "tf.sqrt((x @ w1 - x @ w1) ** 2)",
            "jax": "jnp.sqrt((x @ w1 - x @ w1) ** 2)",
        },
    ),
    "a comparison on the way": (
        "WG304",
        {},
        {
            "torch": "(x @ w1 > 0).to(torch.float32)",
            "tensorflow": "tf.cast(x @ w1 > 0, tf.float32)",
            "jax": "(x @ w1 > 0).astype(jnp.float32)",
        },
    ),
    "nothing divided by nothing": (
        "WG502",
        {
            "torch": "return ((prediction - target) / (target - target)).square().mean()",
            "tensorflow": "return tf.reduce_mean(tf.square((prediction - target) / (target - target)))",
            "jax": "return jnp.mean(jnp.square((prediction - target) / (target - target)))",
        },
        {},
    ),
    "an exponential that overflows": (
        "WG502",
        {
            "torch": "return (torch.exp(200 * prediction) - target).square().mean()",
            "tensorflow": "return tf.reduce_mean(tf.square(tf.exp(200 * prediction) - target))",
            "jax": "return jnp.mean(jnp.square(jnp.exp(200 * prediction) - target))",
        },
        {},
    ),
    "targets that the last activation can't reach": (
        "WG216",
        {
            "torch": "return ((torch.sigmoid(prediction) - target) ** 2).mean()",
            "tensorflow": "return tf.reduce_mean((tf.sigmoid(prediction) - target) ** 2)",
            "jax": "return jnp.mean((jax.nn.sigmoid(prediction) - target) ** 2)",
        },
        {},
    ),
    "inputs that are multiplied away": (
        "WG320",
        {},
        {"torch": "torch.tanh(0 * x @ w1 + 1)", "tensorflow": "tf.tanh(0 * x @ w1 + 1)", "jax": "jnp.tanh(0 * x @ w1 + 1)"},
    ),
    "units that are off on every row": (
        "WG509",
        {},
        {"torch": "torch.relu(x @ w1 - 20)", "tensorflow": "tf.nn.relu(x @ w1 - 20)", "jax": "jax.nn.relu(x @ w1 - 20)"},
    ),
}

pytestmark = [pytest.mark.slow, pytest.mark.torch]


class Outcomes:
    """What came of each program, run once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pools = Pools()
        self._known: dict[tuple[str, str], tuple[dict[str, Any], Record]] = {}

    def of(self, framework: str, fault: str) -> tuple[dict[str, Any], Record]:
        """Its JSON report and its record."""
        if (framework, fault) not in self._known:
            self._known[framework, fault] = self._run(framework, fault)
        return self._known[framework, fault]

    def _run(self, framework: str, fault: str) -> tuple[dict[str, Any], Record]:
        _, losses, layers = FAULTS[fault]
        folder = self.folder / framework / str(len(self._known))
        folder.mkdir(parents=True)
        program = FRAMEWORKS[framework].format(loss={**SQUARED, **losses}[framework], hidden={**LAYER, **layers}[framework])
        (folder / "train.py").write_text(dedent(program))
        answer = self.pools[framework].run(folder / "train.py", folder / "report.json", "--record", str(folder / "run.whygrad"))
        assert answer["status"] == 0, answer["stderr"]
        return json.loads((folder / "report.json").read_text()), read_record(folder / "run.whygrad").record


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcomes]:
    """The programs that the tests of this worker ask for."""
    found = Outcomes(tmp_path_factory.mktemp("differential"))
    yield found
    found.pools.close()


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_same_cause_at_the_same_place(framework, fault, outcomes):
    report, _ = outcomes.of(framework, fault)
    rule, losses, layers = FAULTS[fault]
    diagnoses = report["diagnoses"]

    assert [item["rule"] for item in diagnoses if item["root_cause"]] == ([rule] if rule else [])
    if rule:
        assert diagnoses[0]["location"]["text"].strip() in ({**losses, **layers}[framework], f"hidden = {layers.get(framework)}")


@pytest.mark.parametrize("fault", FAULTS)
def test_the_gradient_reaches_as_many_parameters(fault, outcomes):
    reached = {}
    for framework in FRAMEWORKS:
        step = outcomes.of(framework, fault)[1].steps[-1]
        reached[framework] = sum(1 for p in step.parameters if p.gradient_norm)

    assert len(set(reached.values())) == 1, reached


def test_the_forward_has_the_same_kinds_of_op(outcomes):
    kinds = {}
    for framework in FRAMEWORKS:
        step = Index(outcomes.of(framework, "none")[1]).steps[-1]
        ops = [
            op
            for op in step.graph.ops
            if not step.depends_on_parameters.isdisjoint(op.outputs) and not step.shapes_loss.isdisjoint(op.outputs)
        ]
        kinds[framework] = [op.kind for op in ops]

    assert kinds["torch"] == ["matmul", "tanh", "matmul", "sub", "pow", "mean"]
    assert kinds["tensorflow"] == kinds["torch"]
    assert kinds["jax"] == ["matmul", "tanh", "matmul", "mse_loss", "mean"]  # a squared difference of one shape is the loss that it is


def test_label_sensitivity_means_the_same(outcomes):
    measured = {name: outcomes.of(name, "none")[0]["measures"]["label_sensitivity"] for name in FRAMEWORKS}

    assert all(0.5 < value < 2 for value in measured.values()), measured
