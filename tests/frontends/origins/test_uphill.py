"""Where a program turns a gradient round, or adds what it should take off."""

import sys
from dataclasses import replace
from pathlib import Path
from textwrap import dedent
from time import time
from types import ModuleType

import pytest

from whygrad.frontends.origins.program import Program
from whygrad.frontends.origins.uphill import uphill
from whygrad.frontends.source import Sources
from whygrad.ir import Parameter, Record, Step

PROGRAMS = {
    "a tree of gradients": ("grads = jax.tree.map(lambda g: -g, grads)", "-g"),
    "a tree, under its old name": ("grads = jax.tree_util.tree_map(lambda leaf: -leaf, grads)", "-leaf"),
    "a list": ("optimizer.apply_gradients(zip([-g for g in grads], variables))", "-g"),
    "added by hand": ("params = jax.tree.map(lambda p, g: p + RATE * g, params, grads)", "RATE * g"),
    "an update taken off": ("updates, state = tx.update(grads, state)\nparams = jax.tree.map(lambda p, u: p - u, params, updates)", "u"),
    "a chain of one's own": ("grads = 0\ntx = optax.scale_by_learning_rate(0.1, flip_sign=False)", "False"),
}
SILENT = {
    "taken off by hand": "params = jax.tree.map(lambda p, g: p - RATE * g, params, grads)",
    "added with a minus": "params = jax.tree.map(lambda p, g: p + -RATE * g, params, grads)",
    "an update added": "updates, state = tx.update(grads, state)\nparams = jax.tree.map(lambda p, u: p + u, params, updates)",
    "two places": "grads = jax.tree.map(lambda g: -g, grads)\nother = [-g for g in grads]",
    "something else is turned": "grads = [rate for g in grads]",
}


def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, along: float | None = 0.8) -> list[str]:
    """What is named in a module of this text, of a run whose one parameter goes this way."""
    file = tmp_path / "uphill_of_this_test.py"
    file.write_text(dedent(text) + "\n", encoding="utf-8")
    module = ModuleType(file.stem)
    module.__file__ = str(file)
    monkeypatch.setitem(sys.modules, file.stem, module)
    step = Step(0, parameters=(Parameter("w", "w", along=along),))
    origins = uphill(Program(Sources(time() + 9)), replace(Record(), steps=(step,)))
    sites = [origin.site for origin in origins if origin.site is not None and Path(origin.site.file).name == file.name]
    return [site.text[site.column - 1 : site.end_column - 1] for site in sites]


@pytest.mark.parametrize(("text", "wrong"), PROGRAMS.values(), ids=PROGRAMS)
def test_the_wrong_sign_is_named(text: str, wrong: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(tmp_path, monkeypatch, text) == [wrong]


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_nothing_is_named(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(tmp_path, monkeypatch, text) == []


@pytest.mark.parametrize("along", [-0.8, 0.1, None])
def test_nothing_is_looked_for_where_updates_go_downhill(along: float | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(tmp_path, monkeypatch, PROGRAMS["a list"][0], along) == []
