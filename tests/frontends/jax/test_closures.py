"""Compiled evaluations that go on reading the first parameters."""

from pathlib import Path

import pytest

from frontends.jax.jax_watching import events, line_of, recorded
from whygrad.ir import Event

HEAD = """
x = jax.random.normal(jax.random.key(0), (32, 3))
y = x @ jnp.array([[1.0], [-2.0], [0.5]])
w = 0.3 * jax.random.normal(jax.random.key(1), (3, 1))

def loss_fn(w, x, y):
    return jnp.mean((x @ w - y) ** 2)

@jax.jit
def step(w, x, y):
    loss, slope = jax.value_and_grad(loss_fn)(w, x, y)
    return w - 0.1 * slope, loss

first = w
EVALUATE
for epoch in range(4):
    w, loss = step(w, x, y)
    CALL
"""
BOUND_ANEW = ("""
@jax.jit
def evaluate(x, y):
    return loss_fn(w, x, y)
""", "evaluate(x, y)")  # fmt: skip
UNREAD = ("""
@jax.jit
def evaluate(w, x, y):
    return loss_fn(first, x, y)
""", "evaluate(w, x, y)")  # fmt: skip

SILENT = {
    "the parameters are handed in": (UNREAD[0].replace("first", "w"), UNREAD[1]),
    "a reference that keeps its name": (BOUND_ANEW[0].replace("(w,", "(first,"), BOUND_ANEW[1]),
    "compared with the first ones": (UNREAD[0].replace("loss_fn(first, x, y)", "loss_fn(first, x, y) / loss_fn(w, x, y)"), UNREAD[1]),
    "not compiled": (BOUND_ANEW[0].replace("@jax.jit\n", ""), BOUND_ANEW[1]),
    "other weights of the same shape": (
        UNREAD[0].replace("first", "first + 1").replace("@jax.jit", "first = first + 1\n@jax.jit"),
        UNREAD[1],
    ),
    "looked at once, before training": (BOUND_ANEW[0] + "evaluate(x, y)\n", "pass"),
    "wrapped anew each time, which is not followed": (BOUND_ANEW[0].replace("@jax.jit\n", ""), "jax.jit(evaluate)(x, y)"),
}


def program(evaluate: str, call: str) -> str:
    return HEAD.replace("EVALUATE", evaluate).replace("CALL", call)


@pytest.mark.parametrize(
    ("evaluate", "call", "variable", "given"),
    [(*BOUND_ANEW, "w", False), (*UNREAD, "first", True)],
    ids=["a variable that is bound anew", "an argument that is not read"],
)
def test_what_was_taken_in_is_told_with_its_place(tmp_path: Path, evaluate: str, call: str, variable: str, given: bool) -> None:
    text = program(evaluate, call)
    (event,) = (event for step in recorded(tmp_path, text).steps for event in step.events if event.kind == "outdated")

    assert (event.attributes["variable"], event.attributes["given"], event.targets) == (variable, given, ("w",))
    assert event.site is not None
    assert event.site.line == line_of(text, f"return loss_fn({variable}, x, y)")


@pytest.mark.parametrize(("evaluate", "call"), SILENT.values(), ids=SILENT)
def test_silence(tmp_path: Path, evaluate: str, call: str) -> None:
    record = recorded(tmp_path, program(evaluate, call))

    assert not any(event.kind == "outdated" for step in record.steps for event in step.events)


HELD = """
    x = jax.random.normal(jax.random.key(0), (16, 3))
    y = x @ jnp.array([1.0, -1.0, 0.5])

    class Descent:
        def __init__(self, rate):
            self.rate = rate

        def apply(self, w, g):
            return w - self.rate * g

    class Fit:
        def __init__(self):
            self.optimizer, self.other = Descent(0.25), OTHER

        def step(self, w, rate):
            g = jax.grad(lambda w: jnp.mean((x @ w - y) ** 2))(w)
            return TAKEN

    fit, w = Fit(), jnp.zeros(3)
    step = jax.jit(fit.step)
    for at in range(6):
        CHANGED = 0.25 / (1 + at)
        w = step(w, 0.25 / (1 + at))
"""


def settled(tmp_path: Path, *, taken: str, changed: str, other: str = "None") -> list[Event]:
    """What the compiled step of this program is told to go on reading."""
    record = recorded(tmp_path, HELD.replace("TAKEN", taken).replace("CHANGED", changed).replace("OTHER", other))
    return [event for step in record.steps for event in events(step, "settled")]


@pytest.mark.parametrize(
    ("taken", "name"), [("self.optimizer.apply(w, g)", "self.rate"), ("w - self.optimizer.rate * g", "self.optimizer.rate")]
)
def test_numbers_of_an_object_that_the_step_holds(tmp_path: Path, taken: str, name: str) -> None:
    (event,) = settled(tmp_path, taken=taken, changed="fit.optimizer.rate")

    assert event.attributes["name"] == name
    assert event.attributes["was"] == 0.25


@pytest.mark.parametrize(
    ("taken", "changed", "other"),
    [
        ("w - rate * g", "fit.optimizer.rate", "None"),
        ("self.optimizer.apply(w, g)", "fit.other.rate", "Descent(0.25)"),
        ("w - self.optimizer.rate * g", "fit.other.rate", "Descent(0.25)"),
    ],
)
def test_numbers_that_are_handed_in_and_those_of_another_object(tmp_path: Path, taken: str, changed: str, other: str) -> None:
    assert not settled(tmp_path, taken=taken, changed=changed, other=other)
