"""Which object is which value."""

import subprocess
import sys
from pathlib import Path

import jax.numpy as jnp
import numpy as np

from whygrad.frontends.jax.tape import Numbers

PROGRAM = """
import jax
import jax.numpy as jnp
import numpy as np

rng = np.random.default_rng(0)
x = np.abs(rng.normal(size=(8, 3))).astype(np.float32)
y = rng.integers(0, 2, size=8)

def loss_fn(w, x, y):
    kept = jax.nn.relu(x)
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(kept @ w), y[:, None], axis=-1))

w = jnp.ones((3, 2)) * jnp.asarray([1.0, 0.5])
for _ in range(4):
    w = w - 0.1 * STEP(w, jnp.asarray(x), jnp.asarray(y))
"""


def test_what_a_primitive_made_is_known_by_identity_alone() -> None:
    numbers, given = Numbers(), np.array([1.0, 2.0], np.float32)
    first = numbers.of(given)

    assert numbers.made(jnp.asarray(given) * 1) != first


def test_a_converted_array_is_the_same_value() -> None:
    numbers, given = Numbers(), np.array([1, 2, 3])
    result = jnp.asarray(given)

    assert numbers.converted(given, result)
    assert numbers.of(result) == numbers.of(given)


def judged(tmp_path: Path, step: str) -> str:
    """The report of the program with this derivative."""
    script = tmp_path / "train.py"
    script.write_text(PROGRAM.replace("STEP", step))
    command = [sys.executable, "-m", "whygrad", "run", str(script)]
    return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=300, check=True).stderr


def test_batches_made_anew_of_numpy_arrays_end_in_a_report(tmp_path: Path) -> None:
    assert "no fault found" in judged(tmp_path, "jax.jit(jax.grad(loss_fn))")


def test_an_op_that_changes_nothing_has_an_output_of_its_own(tmp_path: Path) -> None:
    assert "no fault found" in judged(tmp_path, "jax.grad(loss_fn)")


def test_what_was_computed_of_memory_that_is_handed_on_is_still_known_by_its_type(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(DONATED)
    command = [sys.executable, "-m", "whygrad", "run", str(script)]
    told = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=300, check=True).stderr

    assert "no fault found" in told
    assert "30 steps seen" in told


DONATED = """
from functools import partial

import jax
import jax.numpy as jnp

@partial(jax.jit, donate_argnums=0)
def step(w, target, x, y):
    def loss_fn(w):
        return jnp.mean((x @ w - y - 0.1 * jax.lax.stop_gradient(x @ target)) ** 2)
    loss, slope = jax.value_and_grad(loss_fn)(w)
    return w - 0.1 * slope, loss

w = jnp.ones((3, 1)) * 0.5
target = jax.tree.map(jnp.copy, w)
for i in range(30):
    x = jax.random.normal(jax.random.key(i), (16, 3))
    w, loss = step(w, target, x, x @ jnp.asarray([[1.0], [2.0], [-1.0]]))
"""
