"""WG501 on missing entries that reach a step as an array: the line that made the data is told, not the layer that read them first."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from frontends.jax.jax_watching import line_of, recorded
from whygrad.flow import Index
from whygrad.rules.magnitude import non_finite_input

PROGRAM = """
def table():
    columns = np.random.default_rng(0).normal(size=(96, 3))
    columns[41, 1] = np.nan
    return (columns - np.nanmean(columns, axis=0)) / 2, np.nansum(columns, axis=1)  # made

def forward(w, x):
    x = jnp.tanh(x @ w)
    return x.sum(1)

@jax.jit
def step(w, x, y):
    loss, grad = jax.value_and_grad(lambda w: jnp.mean((forward(w, x) - y) ** 2))(w)
    return w - 0.1 * grad, loss

columns, sums = table()
w = jnp.ones((3, 2))
for at in range(0, 96, 8):
    w, loss = step(w, columns[at : at + 8], sums[at : at + 8])
"""


def said(folder: Path, program: str, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The lines of what the rule says."""
    module = ModuleType("train")
    module.__file__ = str(folder / "train.py")
    monkeypatch.setitem(sys.modules, "train", module)
    found = non_finite_input.diagnose.check(Index(recorded(folder, program)))
    return [each.site.line for each in found if each.site is not None]


def test_missing_entries_are_told_where_the_data_are_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert said(tmp_path, PROGRAM, monkeypatch) == [line_of(PROGRAM, "# made")]


def test_entries_that_were_filled_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert said(tmp_path, PROGRAM.replace("columns, sums = table()", "columns, sums = map(np.nan_to_num, table())"), monkeypatch) == []
