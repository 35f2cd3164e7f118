"""Programs end with the same bits with and without us, and compile as often."""

from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from jax._src import pjit

from frontends.jax.jax_watching import play, watch
from frontends.jax.test_recording import EAGER, JITTED
from whygrad.frontends import Recording
from whygrad.ir import Outcome

DONATED = JITTED.replace("@jax.jit\ndef step", "import functools\n@functools.partial(jax.jit, donate_argnums=(0, 1))\ndef step")
LOOPS = """
@jax.custom_vjp
def clipped(x):
    return x
clipped.defvjp(lambda x: (x, None), lambda _, g: (jnp.clip(g, -0.1, 0.1),))

def loss_fn(p, x):
    def cell(h, row):
        h = jnp.tanh(h @ p["w"] + row)
        return h, jnp.sum(h)
    h, sums = lax.scan(jax.checkpoint(cell), jnp.zeros(4), x)
    h = lax.cond(sums[-1] > 0, lambda v: v * 2, lambda v: v, h)
    return jnp.mean(jax.vmap(jax.nn.gelu)(clipped(h)) ** 2)

params = {"w": jax.random.normal(jax.random.key(0), (4, 4))}
x = jax.random.normal(jax.random.key(1), (6, 4))
for _ in range(5):
    grads = jax.grad(loss_fn)(params, x)
    params = jax.tree.map(lambda p, g: p - 0.1 * g, params, grads)
"""
COUNTED = """
calls = []
@jax.jit
def step(params, x):
    calls.append(1)
    def loss_fn(p):
        calls.append(2)
        return jnp.mean((x @ p) ** 2)
    return params - 0.1 * jax.grad(loss_fn)(params)

params, x = jnp.ones((3, 2)), jnp.ones((4, 3))
for _ in range(6):
    params = step(params, x)
"""


def watched(folder: Path, program: str) -> dict[str, Any]:
    observing, recorder = watch(Recording())
    try:
        return play(folder, program)
    finally:
        record = observing.finish(Outcome(0))
        recorder.stop()
        assert not record.faults, record.faults
        assert record.steps


@pytest.mark.parametrize("program", [EAGER, JITTED, DONATED, LOOPS], ids=["eager", "jitted", "donated", "loops"])
def test_the_same_bits(tmp_path: Path, program: str) -> None:
    plain = play(tmp_path, program)["params"]
    seen = watched(tmp_path, program)["params"]

    assert all(np.array_equal(one, other) for one, other in zip(jax.tree.leaves(plain), jax.tree.leaves(seen), strict=True))


def test_functions_are_traced_as_often_as_without_us(tmp_path: Path) -> None:
    assert watched(tmp_path, COUNTED)["calls"] == play(tmp_path, COUNTED)["calls"] == [1, 2]


def test_after_the_recording_jax_takes_its_short_way_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long_ways: list[object] = []
    original = pjit._run_python_pjit

    def counted(p: Any, *rest: Any) -> Any:
        long_ways.append(p)
        return original(p, *rest)

    monkeypatch.setattr(pjit, "_run_python_pjit", counted)
    watched(tmp_path, COUNTED)
    before = len(long_ways)
    watched(tmp_path, COUNTED.replace("range(6)", "range(60)"))

    assert len(long_ways) < 2 * before + 10


def test_the_programs_functions_are_jaxs_own_again_afterwards(tmp_path: Path) -> None:
    before = (jax.jit, jax.grad, jax.value_and_grad, jax.vjp, jax.custom_jvp.__call__)
    watched(tmp_path, EAGER)

    assert (jax.jit, jax.grad, jax.value_and_grad, jax.vjp, jax.custom_jvp.__call__) == before


def test_a_fault_of_ours_never_reaches_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    observing, recorder = watch(Recording())

    def broken(*_: Any) -> None:
        raise RuntimeError("ours")

    monkeypatch.setattr(recorder.assembly, "build", broken)
    try:
        scope = play(tmp_path, JITTED)
    finally:
        record = observing.finish(Outcome(0))
        recorder.stop()

    assert float(scope["loss"]) > 0
    assert record.faults
