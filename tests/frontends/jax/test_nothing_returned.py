"""A forward without a `return`: the program stops at a None, and the function that hands nothing back is named."""

from pathlib import Path

import pytest

from frontends.jax.jax_watching import line_of, play, watch
from whygrad.flow import Index
from whygrad.frontends import Recording
from whygrad.ir import Outcome, Raised, Record
from whygrad.rules.graph.discarded_result import diagnose

LINEN = """
from flax import linen as nn

class Net(nn.Module):
    @nn.compact
    def __call__(self, x):
        x = nn.relu(nn.Dense(8)(x))
        x = nn.Dense(3)(x)
        {end}

model = Net()
x, y = np.ones((6, 4), "float32"), np.zeros(6, "int32")
params = model.init(jax.random.key(0), x)
{more}

def loss_fn(params):
    logits = model.apply(params, x)
    return {loss}

for _ in range(3):
    grads = {jit}(jax.grad(loss_fn))(params)
"""
PLAIN = """
def forward(params, x):
    hidden = jnp.tanh(x @ params["w"])
    scores = hidden @ params["v"]
    {end}

def watched(params):
    norm = jnp.linalg.norm(params["w"])

x, y = np.ones((6, 4), "float32"), np.ones(6, "float32")
params = {{"w": 0.1 * jax.random.normal(jax.random.key(0), (4, 5)), "v": jnp.ones(5)}}
{more}

def loss_fn(params):
    predicted = forward(params, x)
    {between}
    return {loss}

for _ in range(3):
    grads = {jit}(jax.grad(loss_fn))(params)
"""
CROSS_ENTROPY = "optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()"
SQUARED = "((predicted - y) ** 2).mean()"


def stopped(folder: Path, program: str) -> Record:
    """The record of a program that stops at a None."""
    observing, recorder = watch(Recording(2, None, "off"))
    try:
        with pytest.raises((AttributeError, TypeError), match="NoneType") as caught:
            play(folder, program)
    finally:
        record = observing.finish(Outcome(1, Raised(caught.type.__name__, str(caught.value))))
        recorder.stop()
    assert not record.faults
    return record


FAULTY = {
    "flax": (LINEN.format(end="", more="", loss=CROSS_ENTROPY, jit=""), "x = nn.Dense(3)(x)", "Net.__call__"),
    "flax, compiled": (LINEN.format(end="", more="", loss=CROSS_ENTROPY, jit="jax.jit"), "x = nn.Dense(3)(x)", "Net.__call__"),
    "plain functions": (PLAIN.format(end="", more="", between="", loss=SQUARED, jit=""), 'scores = hidden @ params["v"]', "forward"),
    "an early return": (
        PLAIN.format(end="return", more="", between="", loss=SQUARED, jit="jax.jit"),
        'scores = hidden @ params["v"]',
        "forward",
    ),
}
SOUND = {
    "another None": PLAIN.format(end="return scores", more="weights = None", between="", loss=SQUARED + " * weights", jit=""),
    "compiled": PLAIN.format(end="return scores", more="weights = None", between="", loss=SQUARED + " * weights", jit="jax.jit"),
    "a function called for itself": PLAIN.format(
        end="return scores", more="weights = None", between="watched(params)", loss="((predicted - weights) ** 2).mean()", jit=""
    ),
    "flax": LINEN.format(end="return x", more="weights = None", loss="(logits * weights).mean()", jit=""),
}


@pytest.mark.parametrize("name", FAULTY)
def test_the_function_that_returns_nothing_is_named(tmp_path: Path, name: str) -> None:
    program, line, function = FAULTY[name]
    (found,) = diagnose.check(Index(stopped(tmp_path, program)))

    assert found.site is not None
    assert found.site.line == line_of(program, line)
    assert found.message == f"`{function}` returns nothing: what it computes last is dropped"


@pytest.mark.parametrize("name", SOUND)
def test_another_none_is_left_alone(tmp_path: Path, name: str) -> None:
    assert not list(diagnose.check(Index(stopped(tmp_path, SOUND[name]))))
