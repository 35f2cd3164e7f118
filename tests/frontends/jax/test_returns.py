"""Training that begins again and again with the same parameters is known by the arrays, and by what the source does with what it made."""

from dataclasses import replace
from pathlib import Path
from time import time

import pytest

from frontends.jax.jax_watching import recorded
from whygrad.flow import Index
from whygrad.frontends.origins.program import Program
from whygrad.frontends.origins.unkept import unkept
from whygrad.frontends.source import Sources
from whygrad.rules.update.begun_again import begun_again

PROGRAM = """
@jax.jit
def step(params, x):
    loss, grads = jax.value_and_grad(lambda p: ((x @ p - 1.0) ** 2).mean())(params)
    return params - 0.1 * grads, loss

def epoch(params, x):
    for _ in range(3):
        params, loss = step(params, x)
    {end}

params, x = jnp.zeros(4), jnp.ones((8, 4))
for turn in range(4):
    {call}
"""
CASES = {
    "nothing is kept": ("return loss", "loss = epoch(params, x)", True),
    "it is handed out": ("return params", "params = epoch(params, x)", False),
    "it is handed out, and dropped by the caller": ("return params", "epoch(params, x)", False),
    "it is read": ("return jnp.abs(params).sum()", "norm = epoch(params, x)", False),
    "a setting is tried out": ("return loss", "loss = epoch(params, x * turn)", False),
    "rows of a fold": ("return loss", "part = x * turn; loss = epoch(params, part)", False),
    "rows that are drawn anew for each turn": ("return loss", "part = x[::-1]; loss = epoch(params, part)", True),
}


@pytest.mark.parametrize(("end", "call", "told"), CASES.values(), ids=CASES)
def test_training_that_nobody_keeps(end: str, call: str, told: bool, tmp_path: Path) -> None:
    record = recorded(tmp_path, PROGRAM.format(end=end, call=call), experiments="off")
    origins = unkept(Program(Sources(time() + 9)), record)
    said = list(begun_again(Index(replace(record, origins=tuple(origins)))))

    assert bool(said) is told
    assert all(one.site is not None and one.site.text.strip() == "params, loss = step(params, x)" for one in said)


NUMBERS = """
@jax.jit
def step(params, x):
    loss, grads = jax.value_and_grad(lambda p: ((x * p["w"] + p["b"] - 1.0) ** 2).mean())(params)
    return jax.tree.map(lambda p, g: p - 0.1 * g, params, grads), loss

params, x = {start}, jnp.arange(8.0)
for turn in range(6):
    params, loss = step(params, x)
"""


@pytest.mark.parametrize("start", ['{"w": 0.0, "b": 0.0}', '{"w": np.float32(0), "b": 0.0}', '{"w": np.zeros(()), "b": jnp.zeros(())}'])
def test_parameters_that_begin_as_numbers_of_pythons_are_followed_no_further(start: str, tmp_path: Path) -> None:
    record = recorded(tmp_path, "import numpy as np\n" + NUMBERS.replace("{start}", start), experiments="off")

    assert not record.faults
    assert record.outcome.steps_seen == 6
