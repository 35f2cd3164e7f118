"""JAX traces and compiles the program's functions as often under whygrad as without it, and nothing at all once the recorded steps are over."""

import json
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from whygrad.ir.files import read_record

COUNTING = """
import functools, json
import jax, jax.numpy as jnp, optax
from jax import lax

heard, marks, runs = [], [], []

def listen(event, seconds, **told):
    if event.endswith(("backend_compile_duration", "jaxpr_trace_duration")):
        heard.append((event.rpartition("/")[2], str(told.get("fun_name"))))

jax.monitoring.register_event_duration_secs_listener(listen)
optimizer = optax.adam(0.1)
w = jnp.zeros(3)
state = optimizer.init(w)
x, y = jnp.ones((8, 3)), jnp.ones(8)

def loss_fn(w, x, y):
    return jnp.mean((x @ w - y) ** 2)

"""
SINGLE = """
@jax.jit
def step(w, state, x, y):
    runs.append(1)
    loss, gradient = jax.value_and_grad(loss_fn)(w, x, y)
    updates, state = optimizer.update(gradient, state, w)
    return optax.apply_updates(w, updates), state
"""
SEVERAL = """
@jax.jit
def step(w, state, x, y):
    def turn(carry, _):
        runs.append(1)
        w, state = carry
        updates, state = optimizer.update(jax.grad(loss_fn)(w, x, y), state, w)
        return (optax.apply_updates(w, updates), state), None

    return lax.scan(turn, (w, state), None, length=3)[0]
"""
DONATED = """
def made():
    @functools.partial(jax.jit, donate_argnums=(0, 1))
    def step(w, state, x, y):
        runs.append(1)
        gradient = jax.grad(loss_fn)(w, x, y)
        updates, state = optimizer.update(gradient, state, w)
        return optax.apply_updates(w, updates), state

    return step

step = made()
for number in range(9):
    w, state = step(w, state, x, y)

step = made()
"""
LOOP = """
for number in range(12):
    w, state = step(w, state, x, y)
    marks.append(len(heard))

own = [item for item in heard if "step" in item[1]]
print(json.dumps({"own": own, "runs": len(runs), "late": marks[-1] - marks[4], "w": [float(item) for item in w]}))
"""


def counted(folder: Path, text: str, *, watched: bool) -> dict[str, object]:
    (folder / "train.py").write_text(dedent(COUNTING + text + LOOP))
    tool = [str(Path(sys.executable).with_name("whygrad")), "run", "--record", "run.whygrad"] if watched else [sys.executable]
    done = subprocess.run([*tool, "train.py"], cwd=folder, capture_output=True, text=True, check=True)
    found: dict[str, object] = json.loads(done.stdout.splitlines()[0])
    return found


@pytest.mark.parametrize("text", [SINGLE, SEVERAL], ids=["a jitted step", "several steps in a scan"])
def test_the_programs_functions_are_traced_and_compiled_as_often(tmp_path: Path, text: str) -> None:
    plain, watched = counted(tmp_path, text, watched=False), counted(tmp_path, text, watched=True)
    assert watched == plain
    assert plain["own"] == [["jaxpr_trace_duration", "step"], ["backend_compile_duration", "jit(step)"]]
    assert watched["late"] == 0


def test_a_step_that_takes_its_arguments_for_itself_is_known_when_it_is_made_anew(tmp_path: Path) -> None:
    plain, watched = counted(tmp_path, DONATED, watched=False), counted(tmp_path, DONATED, watched=True)

    assert watched == plain
    assert plain["runs"] == 2
    assert read_record(tmp_path / "run.whygrad").record.optimizers[0].steps == 9 + 12
