"""Values that left JAX for NumPy and came back changed: what NumPy made of them is known by its numbers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from whygrad.frontends.arrays import numbers
from whygrad.frontends.jax import _compat
from whygrad.frontends.jax.evaluation import deleted

LEAST_ROWS = 8
"""Rows that must lie on a line: two numbers always do."""
CLOSE = 1e-4
"""Share of a column's spread by which it may be off the line: float32 rounds a standardised column by less than 1e-6 of it."""
MOST = 1 << 20
"""Entries up to which arrays are compared."""


@dataclass(frozen=True, slots=True)
class Trip:
    """An array that is a multiple of another one and a constant, column by column."""

    scale: NDArray[Any]
    shift: NDArray[Any]

    def again(self, item: Any) -> list[Any]:
        """The same of other numbers."""
        return [item * jnp.asarray(self.scale, item.dtype) + jnp.asarray(self.shift, item.dtype)]


def trip(left: Any, back: Any) -> Trip | None:
    """How an array that came back was made of one that had left; None where it was made otherwise."""
    if np.shape(left) != np.shape(back) or np.ndim(left) == 0 or not LEAST_ROWS <= np.shape(left)[0] <= np.size(left) <= MOST:
        return None
    one, other = _wide(left), _wide(back)
    if one is None or other is None:
        return None
    with np.errstate(all="ignore"):
        first, second = one - one.mean(axis=0), other - other.mean(axis=0)
        scale = (first * second).sum(axis=0) / (first * first).sum(axis=0)
        rest = np.abs(second - scale * first).max(axis=0)
        on_line = rest <= CLOSE * second.std(axis=0)
    # timid: a column that does not vary, or of two values as labels have, lies on a line with many another
    varied = np.all([len(np.unique(column)) >= LEAST_ROWS for column in one.reshape(len(one), -1).T])
    if not (np.all(on_line) and varied and np.isfinite(scale).all() and np.all(scale != 0)):
        return None
    return Trip(scale, other.mean(axis=0) - scale * one.mean(axis=0))


def _wide(item: Any) -> NDArray[Any] | None:
    if deleted(item) or getattr(getattr(item, "dtype", None), "kind", "") != "f":
        return None
    found = numbers(item)
    return found.astype(np.float64) if found is not None and np.isfinite(found).all() else None


def trips(left: Mapping[int, Any], back: Mapping[int, Any]) -> Iterator[tuple[int, int, Trip]]:
    """What came back, with what it was made of and how, by number; of several the latest."""
    for number, item in back.items():
        known = ((mine, trip(left[mine], item)) for mine in sorted(left, reverse=True) if not _compat.is_tracer(left[mine]))
        found = next(((mine, way) for mine, way in known if way is not None), None)
        if found is not None:
            yield number, found[0], found[1]
