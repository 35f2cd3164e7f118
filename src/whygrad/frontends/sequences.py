"""Sequences as arrays: whether targets are their next entries, and what changes before the positions that were changed."""

from typing import Any

import numpy as np

from whygrad.frontends.halves import Halves


def shift(given: Any, target: Any, axis: int) -> dict[str, float]:
    """Share of the targets that equal the next entry of the sequence along an axis, and the same one."""
    rows = np.moveaxis(given, axis, 0)
    wanted = _like(target, given, axis)
    if wanted is None:
        return {"shifted": 0.0, "same": 0.0}
    shared = min(wanted.shape[0], rows.shape[0] - 1)
    wanted = wanted[:shared]
    counts = np.ones_like(wanted, dtype=bool) if wanted.dtype.kind == "f" else wanted >= 0
    total = max(1, int(counts.sum()))
    next_, same = (rows[at : at + shared] == wanted for at in (1, 0))
    return {"shifted": float((next_ & counts).sum()) / total, "same": float((same & counts).sum()) / total}


def _like(target: Any, given: Any, axis: int) -> Any | None:
    """The target with its positions first, as the sequence has them; one that was flattened is folded again."""
    rest = np.moveaxis(given, axis, 0).shape[1:]
    if target.ndim == given.ndim and np.moveaxis(target, axis, 0).shape[1:] == rest:
        return np.moveaxis(target, axis, 0)
    entries = int(np.prod(rest))
    if target.ndim >= given.ndim or entries == 0 or target.size % entries:
        return None
    folded = target.reshape(*given.shape[:axis], target.size // entries, *given.shape[axis + 1 :])
    return np.moveaxis(folded, axis, 0)


class ArrayHalves(Halves):
    """The same of NumPy's arrays."""

    __slots__ = ()

    def other(self, given: Any) -> Any:
        """The sequence with its later positions taken from other rows; where there is one row alone, in the reverse order."""
        changed = np.array(given, copy=True)
        later = np.moveaxis(changed, (self.axis, 1 - self.axis), (0, 1))
        rows = later[self.middle + 1 :][::-1] if self.batch == 1 else np.roll(later, -self.rows, 1)[self.middle + 1 :]
        later[self.middle + 1 :, : self.rows] = np.array(rows[:, : self.rows], copy=True)
        return changed

    def positions(self, array: Any) -> Any | None:
        """The array with positions and rows as its first axes; None where it has not each exactly once."""
        shape = array.shape
        if (folded := self.folded(shape)) is not None:
            return np.moveaxis(array.reshape(*folded, *shape[1:]), self.axis, 0)
        places = self.places(shape)
        return np.moveaxis(array, places, (0, 1)) if places is not None else None

    def changes(self, one: Any, other: Any) -> tuple[float, float] | None:
        """Relative change before the changed positions: in the rows that were changed, and in the others."""
        if np.shape(one) != np.shape(other):
            return None
        before, after = (self.positions(np.asarray(array)) for array in (one, other))
        if before is None or after is None:
            return None
        early, late = (array[: self.middle + 1].astype(np.float64) for array in (before, after))
        scale = float(np.abs(early).max())
        apart = np.abs(early - late) / scale if scale > 0 else np.zeros_like(early)
        inside, outside = apart[:, : self.rows], apart[:, self.rows :]
        return float(inside.max()), float(outside.max()) if outside.size else 0.0
