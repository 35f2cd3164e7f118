"""One experiment: the later part of a sequence changed, and what the model predicts before it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from whygrad.frontends.halves import CHANGED, FEWEST
from whygrad.frontends.sequences import ArrayHalves, shift
from whygrad.frontends.tensorflow._compat import tf
from whygrad.frontends.tensorflow.calls import Call
from whygrad.ir import Perturb, Trial

Tensors = Mapping[str, Any]


class Sequenced(Protocol):
    """What is asked of a replay."""

    calls: list[Call]

    def find(self, name: str) -> Any:
        """The tensor of a value, where it still lives; None else."""

    def forwarded(self, substitutes: Tensors) -> Tensors:
        """Every value that depends on other data in the place of some tensors."""


def perturbed(replay: Sequenced, intervention: Perturb) -> Trial:
    """The experiment."""
    sequence, target = replay.find(intervention.value), replay.find(intervention.target)
    if sequence is None or target is None:
        return Trial(intervention, reason="what the step read is gone")
    given, wanted = np.asarray(sequence), np.asarray(target)
    shifts = {axis: shift(given, wanted, axis) for axis in (1, 0) if given.ndim > 1 and given.shape[axis] >= FEWEST}
    if not shifts:
        return Trial(intervention, reason="it is no sequence")
    axis = max(shifts, key=lambda at: shifts[at]["shifted"])
    halves = ArrayHalves.of(given, axis)
    other = halves.other(given)
    if np.array_equal(other, given):
        return Trial(intervention, reason="all rows of the sequence are alike")
    before, after = (replay.forwarded({intervention.value: tf.constant(array, sequence.dtype)}) for array in (given, other))
    changes = _changes(halves, before, after, intervention.op)
    if changes is None:
        return Trial(intervention, reason="the prediction has no position for each of the sequence")
    figures = {**shifts[axis], "leak": changes[0], "control": changes[1]}
    first = next((name for name in _told(replay.calls) if (found := _changes(halves, before, after, name)) and found[0] > CHANGED), "")
    return Trial(intervention, figures=figures, where=first)


def _changes(halves: ArrayHalves, before: Tensors, after: Tensors, name: str) -> tuple[float, float] | None:
    """How far a value changes, where it is a tensor of floating numbers."""
    one, other = before.get(name), after.get(name)
    if one is None or other is None or not one.dtype.is_floating:
        return None
    return halves.changes(tf.cast(one, tf.float64).numpy(), tf.cast(other, tf.float64).numpy())


def _told(calls: Sequence[Call]) -> Iterator[str]:
    """Values that the record shows: of what a library function makes, only what others read."""
    inside = {name: call.group for call in calls for name in call.outputs}
    read = {name for call in calls for name in call.inputs if inside.get(name) is not call.group}
    for call in calls:
        yield from (name for name in call.outputs if call.group is None or name in read)
