"""One experiment: every word of the rows that end in much padding changed, and how much of that reaches what is predicted for them."""

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from whygrad.frontends.jax.evaluation import Change
from whygrad.frontends.jax.futures import Sequenced
from whygrad.ir import Reword, Trial

MUCH = 0.5
"""Share of a row that is padding at its end, from which the row counts."""


def reworded(replay: Sequenced, intervention: Reword) -> Trial:
    """The experiment. The same rows with their padding in front tell how much a change of their words can reach."""
    number, prediction = replay.numbers.get(intervention.value), replay.numbers.get(intervention.op)
    if number not in replay.arrays or number is None or prediction is None:
        return Trial(intervention, reason="what the step read is gone")
    given = np.moveaxis(np.asarray(replay.arrays[number]), intervention.axis, 1)
    ends = at_ends(given)
    padded = (ends >= MUCH * given.shape[1]) & (ends < given.shape[1])
    if not padded.any():
        return Trial(intervention, reason="no row ends in much padding")
    reading = _Reading(replay, number, prediction, intervention.axis, padded)
    other = exchanged(given, ends)
    behind = reading.change(given, other)
    before = reading.change(in_front(given, ends), in_front(other, ends))
    if behind is None or before is None:
        return Trial(intervention, reason="the prediction has no row for each of the sequence")
    return Trial(intervention, figures={"behind": behind, "before": before, "rows": float(padded.sum()), "of": float(len(given))})


@dataclass(frozen=True, slots=True)
class _Reading:
    """What is predicted for some rows of a sequence."""

    replay: Sequenced
    number: int
    prediction: int
    axis: int
    rows: Any

    def change(self, one: Any, other: Any) -> float | None:
        """How far the predictions for two sequences are apart, relative to the larger one; None where they are not by rows."""
        first, second = self._predicted(one), self._predicted(other)
        if first is None or second is None:
            return None
        scale = float(np.maximum(np.linalg.norm(first), np.linalg.norm(second)))
        return float(np.linalg.norm(first - second)) / scale if scale > 0 else 0.0

    def _predicted(self, given: Any) -> Any:
        array = jnp.asarray(np.moveaxis(given, 1, self.axis))
        moving = {at: self.replay.arrays[at] for at in self.replay.engine.moving}
        found = self.replay.engine.values((self.prediction,), moving, Change(self.replay.forwarded({self.number: array})))
        made = found.get(self.prediction)
        if made is None or not jnp.issubdtype(made.dtype, jnp.floating) or np.shape(made)[:1] != self.rows.shape:
            return None
        return np.asarray(made).astype(np.float64)[self.rows]


def at_ends(given: Any) -> Any:
    """Of each row, how many positions at its end are padding: id 0, or all features 0."""
    empty = (given == 0).reshape(*given.shape[:2], -1).all(2)
    return np.cumprod(empty[:, ::-1].astype(np.int64), axis=1).sum(1)


def exchanged(given: Any, ends: Any) -> Any:
    """The sequence with every word exchanged for one of another place; its padding stays."""
    words = np.arange(given.shape[1])[None, :] < given.shape[1] - ends[:, None]
    changed, kept = given.copy(), given[words]
    changed[words] = np.roll(kept, max(1, len(kept) // 2), axis=0)
    return changed


def in_front(given: Any, ends: Any) -> Any:
    """The same rows, each turned so that its padding comes first."""
    return np.stack([np.roll(row, int(end), axis=0) for row, end in zip(given, ends, strict=True)])
