"""Models that are a list of layers and functions: a rule speaks of the entry of the list, not of the call that goes through it."""

from pathlib import Path

import pytest

from frontends.jax.jax_watching import line_of, recorded

PROGRAM = """
from functools import partial
from flax import nnx

def halved(z):
    return jnp.round(z / 2)  # of the user's own

def make(rngs):
    return nnx.Sequential(
        nnx.Linear(4, 8, rngs=rngs),  # first
        nnx.relu,  # between
        partial(jnp.clip, min=0.0, max=3.0),  # clip
        halved,
        nnx.Linear(8, 2, rngs=rngs),  # last
    )

@nnx.jit
def step(model, x, y):
    loss, grads = nnx.value_and_grad(lambda m: jnp.mean((m(x) - y) ** 2))(model)
    return loss, grads

model = make(nnx.Rngs(0))
x = jnp.ones((6, 4))
for _ in range(2):
    loss, grads = step(model, x, jnp.zeros((6, 2)))
"""


def made(folder: Path, program: str) -> dict[str, int | None]:
    """The kinds of ops within the model, with the line of the entry that they run in."""
    step = recorded(folder, program, experiments="off").steps[0]
    return {op.kind: op.made.line if op.made else None for op in step.graph.ops if op.kind in ("linear", "relu", "clamp", "round")}


def test_entries_are_told_where_they_are_listed(tmp_path: Path) -> None:
    lines = {kind: line_of(PROGRAM, f"# {mark}") for kind, mark in (("linear", "last"), ("relu", "between"), ("clamp", "clip"))}

    assert made(tmp_path, PROGRAM) == lines | {"round": None}  # the line of the user's own function is the op's


@pytest.mark.parametrize(
    "program",
    [
        PROGRAM.replace("nnx.Sequential(\n", "nnx.Sequential(*(\n").replace("# last\n    )", "# last\n    ))"),
        PROGRAM.replace("model = make(nnx.Rngs(0))", "model = [make(nnx.Rngs(at)) for at in range(2)][1]"),
    ],
    ids=["a tuple that is unpacked", "made twice at one place"],
)
def test_however_the_list_is_made(tmp_path: Path, program: str) -> None:
    assert made(tmp_path, program)["relu"] == line_of(program, "# between")


MAKE = PROGRAM[PROGRAM.index("def make") : PROGRAM.index("@nnx.jit")]
OTHER = MAKE.replace("make", "other").replace("  # ", "  # other: ")


@pytest.mark.parametrize(
    "program",
    [
        PROGRAM.replace("nnx.Sequential(\n", "nnx.Sequential(*list((\n").replace("# last\n    )", "# last\n    )))"),
        PROGRAM.replace("model = make", OTHER + "other(nnx.Rngs(1))\nmodel = make").replace("        partial(", "        # partial("),
    ],
    ids=["entries that are not written out", "the same entries at two places"],
)
def test_what_can_not_be_told_apart_is_left_where_it_runs(tmp_path: Path, program: str) -> None:
    assert set(made(tmp_path, program).values()) == {None}
