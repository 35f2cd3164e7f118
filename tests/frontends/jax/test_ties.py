"""Leaves of a tree that begin as one array and are trained as two."""

import numpy as np
import pytest

from sketch import sketch
from whygrad.frontends.jax.ties import Ties
from whygrad.ir import Event

TABLE = np.arange(6.0).reshape(3, 2)
USES = {"lookup": "h = embedding {0} x", "product": "h = linear x {0}"}


def told(first: str, second: str, *, after: np.ndarray, begin: np.ndarray = TABLE) -> list[Event]:
    """What is told of two parameters after one update, used in these ways."""
    graph = (
        sketch(
            f"    x: input i64[4]\n    a: parameter f32[3,2]\n    b: parameter f32[3,2]\n    {USES[first].format('a')}\n    {USES[second].format('b').replace('h =', 'g =')}\n"
        )
        .steps[0]
        .step.graph
    )
    ties, values = Ties(), {"w": "a", "out": "b"}
    assert not list(ties.events(graph, values, {"w": begin, "out": begin}, {}))
    return list(ties.events(graph, values, {"w": begin, "out": after}, {}))


def test_a_table_that_is_looked_up_in_and_multiplied_with_was_one():
    (event,) = told("lookup", "product", after=TABLE + 1)

    assert (event.kind, event.targets) == ("untie", ("w", "out"))


@pytest.mark.parametrize(
    "events",
    [
        told("product", "product", after=TABLE + 1),
        told("lookup", "product", after=TABLE),
        told("lookup", "product", begin=np.zeros((3, 2)), after=TABLE),
    ],
    ids=["two networks that begin alike", "still equal", "zeros"],
)
def test_nothing_is_told_of(events: list[Event]):
    assert not events
