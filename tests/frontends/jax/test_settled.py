"""Numbers that a compiled step took in when it was traced: told where the traced program shows that it holds them, and nowhere else."""

from pathlib import Path

import pytest

from frontends.jax.jax_watching import line_of, recorded
from whygrad.ir import Event

START = """
    x = jnp.arange(12.0).reshape(6, 2) / 12
    y = jnp.ones(6)
    w = jnp.zeros(2)
"""
GLOBAL = """
    rate = 0.5

    @jax.jit
    def step(w):
        return w - rate * jax.grad(lambda w: jnp.mean((x @ w - y) ** 2))(w)  # read

    for at in range(8):
        rate = 0.5 / (1 + at)
        w = step(w)
"""
ENTRY = """
    settings = {"weight": 0.25}

    def loss_fn(w):
        return jnp.mean((x @ w - y) ** 2) + settings["weight"] * jnp.sum(w ** 2)  # read

    @jax.jit
    def step(w):
        return w - 0.1 * jax.grad(loss_fn)(w)

    for at in range(8):
        settings["weight"] = 0.25 + at
        w = step(w)
"""
CONDITION = """
    class Plan:
        epoch = 0

    plan = Plan()

    @jax.jit
    def step(w):
        def loss_fn(w):
            loss = jnp.mean((x @ w - y) ** 2)
            if plan.epoch > 3:  # read
                loss = loss + jnp.sum(jnp.abs(w))
            return loss
        return w - 0.1 * jax.grad(loss_fn)(w)

    for plan.epoch in range(8):
        w = step(w)
"""
UNREAD = """
    epoch = 0

    @jax.jit
    def step(w):
        return w - 0.1 * jax.grad(lambda w: jnp.mean((x @ w - y) ** 2))(w)

    for epoch in range(8):
        w = step(w)
"""
SAME = """
    settings = {"weight": 0.25}

    @jax.jit
    def step(w):
        return w - 0.1 * jax.grad(lambda w: jnp.mean((x @ w - y) ** 2) + settings["weight"] * jnp.sum(w ** 2))(w)

    for at in range(8):
        settings["weight"] = 0.25
        w = step(w)
"""
GIVEN = """
    rate = 0.5

    @jax.jit
    def step(w, rate):
        return w - rate * jax.grad(lambda w: jnp.mean((x @ w - y) ** 2))(w)

    for at in range(8):
        rate = 0.5 / (1 + at)
        w = step(w, rate)
"""
STATIC = """
    from functools import partial

    @partial(jax.jit, static_argnums=1)
    def step(w, rate):
        return w - rate * jax.grad(lambda w: jnp.mean((x @ w - y) ** 2))(w)

    for at in range(4):
        w = step(w, 0.5 / (1 + at))
"""
ANEW = """
    rate = 0.5

    def make():
        @jax.jit
        def step(w):
            return w - rate * jax.grad(lambda w: jnp.mean((x @ w - y) ** 2))(w)
        return step

    for at in range(3):
        rate = 0.5 / (1 + at)
        step = make()
        w = step(w)
        w = step(w)
"""
EAGER = """
    rate = 0.5
    gradient = jax.jit(jax.grad(lambda w: jnp.mean((x @ w - y) ** 2)))

    def step(w):
        return w - rate * gradient(w)

    for at in range(8):
        rate = 0.5 / (1 + at)
        w = step(w)
"""
DECIDED_ALIKE = """
    class Plan:
        epoch = 0

    plan = Plan()

    @jax.jit
    def step(w):
        def loss_fn(w):
            loss = jnp.mean((x @ w - y) ** 2)
            if plan.epoch > 100:
                loss = loss + jnp.sum(jnp.abs(w))
            return loss
        return w - 0.1 * jax.grad(loss_fn)(w)

    for plan.epoch in range(8):
        w = step(w)
"""


BUILT_IN = """
    import sys

    @jax.jit
    def step(w):
        if sys.maxsize < 0:
            return w
        return w - 0.1 * jax.grad(lambda w: jnp.mean((x @ w - y) ** 2))(w)

    for at in range(3):
        w = step(w)
"""


def test_a_module_that_has_no_file_is_no_number(tmp_path: Path) -> None:
    record = recorded(tmp_path, START + BUILT_IN, experiments="off")

    assert record.faults == ()
    assert record.outcome.steps_seen == 3


def settled(folder: Path, program: str) -> list[Event]:
    record = recorded(folder, START + program, experiments="off")
    return [event for step in record.steps for event in step.events if event.kind == "settled"]


@pytest.mark.parametrize(
    ("program", "name", "was", "now"),
    [(GLOBAL, "rate", 0.5, 0.0625), (ENTRY, "settings['weight']", 0.25, 7.25), (CONDITION, "plan.epoch", 0, 7)],
    ids=["a variable around it", "an entry of a dictionary", "a condition on an attribute"],
)
def test_a_number_that_the_traced_program_holds_is_told_with_its_line(
    tmp_path: Path, program: str, name: str, was: float, now: float
) -> None:
    (event,) = settled(tmp_path, program)
    told = event.attributes

    assert (str(told["name"]).replace('"', "'"), told["was"], told["now"]) == (name, was, now)
    assert event.site is not None
    assert event.site.line == line_of(START + program, "# read")
    assert bool(told["test"]) == (program is CONDITION)


@pytest.mark.parametrize(
    "program",
    [UNREAD, SAME, GIVEN, STATIC, ANEW, EAGER, DECIDED_ALIKE],
    ids=["not read", "never another", "an argument", "a static argument", "made anew", "read outside", "a condition that comes out alike"],
)
def test_a_number_that_changes_nothing_is_not_told(tmp_path: Path, program: str) -> None:
    assert settled(tmp_path, program) == []
