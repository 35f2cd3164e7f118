"""One experiment: the later part of a sequence changed, and what the model predicts before it."""

from collections.abc import Mapping
from typing import Any, Protocol

import jax.numpy as jnp
import numpy as np

from whygrad.frontends.halves import CHANGED, FEWEST
from whygrad.frontends.jax.evaluation import Change, Engine
from whygrad.frontends.sequences import ArrayHalves, shift
from whygrad.ir import Graph, Perturb, Trial

Arrays = Mapping[int, Any]


class Sequenced(Protocol):
    """What is asked of a replay."""

    engine: Engine
    arrays: Mapping[int, Any]
    numbers: Mapping[str, int]
    graph: Graph

    def forwarded(self, given: dict[int, Any]) -> dict[int, Any]:
        """The same change where the program reads it."""


def perturbed(replay: Sequenced, intervention: Perturb) -> Trial:
    """The experiment."""
    numbers = [replay.numbers.get(name, 0) for name in (intervention.value, intervention.target)]
    prediction = replay.numbers.get(intervention.op)
    if prediction is None or any(number not in replay.arrays for number in numbers):
        return Trial(intervention, reason="what the step read is gone")
    given, target = (np.asarray(replay.arrays[number]) for number in numbers)
    shifts = {axis: shift(given, target, axis) for axis in (1, 0) if given.ndim > 1 and given.shape[axis] >= FEWEST}
    if not shifts:
        return Trial(intervention, reason="it is no sequence")
    axis = max(shifts, key=lambda at: shifts[at]["shifted"])
    halves = ArrayHalves.of(given, axis)
    other = halves.other(given)
    if np.array_equal(other, given):
        return Trial(intervention, reason="all rows of the sequence are alike")
    before, after = (_forward(replay, numbers[0], array) for array in (given, other))
    changes = _changes(halves, before[prediction], after[prediction]) if prediction in before and prediction in after else None
    if changes is None:
        return Trial(intervention, reason="the prediction has no position for each of the sequence")
    figures = {**shifts[axis], "leak": changes[0], "control": changes[1]}
    return Trial(intervention, figures=figures, where=_first(replay, halves, before, after))


def _forward(replay: Sequenced, number: int, array: Any) -> dict[int, Any]:
    """Every value of the graph, with other data in the place of one."""
    wanted = tuple(replay.numbers[name] for op in replay.graph.ops for name in op.outputs if replay.numbers.get(name, -1) >= 0)
    moving = {at: replay.arrays[at] for at in replay.engine.moving}
    return replay.engine.values(wanted, moving, Change(replay.forwarded({number: jnp.asarray(array)})))


def _changes(halves: ArrayHalves, one: Any, other: Any) -> tuple[float, float] | None:
    """As `ArrayHalves.changes`, of floating numbers alone."""
    return halves.changes(one, other) if jnp.issubdtype(one.dtype, jnp.floating) else None


def _first(replay: Sequenced, halves: ArrayHalves, before: Arrays, after: Arrays) -> str:
    """The first value whose earlier positions have changed."""
    for op in replay.graph.ops:
        for name in op.outputs:
            number = replay.numbers.get(name, 0)
            changes = _changes(halves, before[number], after[number]) if number in before and number in after else None
            if changes is not None and changes[0] > CHANGED:
                return name
    return ""
