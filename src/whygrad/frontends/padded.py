"""One experiment: every word of the rows that end in much padding changed, and how much of that reaches what is predicted for them. Imports no framework."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whygrad.ir import Reword, Trial

Array = NDArray[Any]
Predicted = Callable[[Array], Array | None]
"""What is predicted when the model reads this sequence (rows, positions, …); None where that is nothing floating."""

MUCH = 0.5
"""Share of a row that is padding at its end, from which the row counts."""


def reworded(intervention: Reword, given: Array, predicted: Predicted) -> Trial:
    """The experiment. The same rows with their padding in front tell how much a change of their words can reach."""
    ends = at_ends(given)
    padded = (ends >= MUCH * given.shape[1]) & (ends < given.shape[1])
    if not padded.any():
        return Trial(intervention, reason="no row ends in much padding")
    other = exchanged(given, ends)
    behind = _change(predicted(given), predicted(other), padded)
    before = _change(predicted(in_front(given, ends)), predicted(in_front(other, ends)), padded)
    if behind is None or before is None:
        return Trial(intervention, reason="the prediction has no row for each of the sequence")
    return Trial(intervention, figures={"behind": behind, "before": before, "rows": float(padded.sum()), "of": float(len(given))})


def _change(one: Array | None, other: Array | None, rows: Array) -> float | None:
    """How far two predictions for these rows are apart, relative to the larger one; None where they are not by rows."""
    if one is None or other is None or not one.shape[:1] == other.shape[:1] == rows.shape:
        return None
    first, second = one[rows].astype(np.float64), other[rows].astype(np.float64)
    scale = float(np.maximum(np.linalg.norm(first), np.linalg.norm(second)))
    return float(np.linalg.norm(first - second)) / scale if scale > 0 else 0.0


def at_ends(given: Array) -> Array:
    """Of each row, how many positions at its end are padding: id 0, or all features 0."""
    empty = (given == 0).reshape(*given.shape[:2], -1).all(2)
    return np.asarray(np.cumprod(empty[:, ::-1].astype(np.int64), axis=1).sum(1))


def exchanged(given: Array, ends: Array) -> Array:
    """The sequence with every word exchanged for one of another place; its padding stays."""
    words = np.arange(given.shape[1])[None, :] < given.shape[1] - ends[:, None]
    changed, kept = given.copy(), given[words]
    changed[words] = np.roll(kept, max(1, len(kept) // 2), axis=0)
    return changed


def in_front(given: Array, ends: Array) -> Array:
    """The same rows, each turned so that its padding comes first."""
    return np.stack([np.roll(row, int(end), axis=0) for row, end in zip(given, ends, strict=True)])
