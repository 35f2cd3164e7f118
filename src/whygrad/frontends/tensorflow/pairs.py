"""Whether inputs and labels belong together: the first rows of what `fit` is given, held in memory to be fitted. Nothing of them enters the record."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whygrad.frontends import fitting
from whygrad.frontends.arrays import numbers
from whygrad.frontends.fits import fitted
from whygrad.frontends.tensorflow.scopes import is_tensor
from whygrad.ir import Fit, Record

Place = tuple[str, int]
WIDE = 4096
"""Entries of a row from which on it is averaged in blocks before it is kept: 512 rows take 8 MB at most."""
STEPS = 20
"""Steps from which on a run whose loss stands may be said to fail."""
STANDS = 0.8
"""Share of its first loss that the last one must reach for the fit to be worth its half a second: one that began above chance may fall a little."""


@dataclass(slots=True)
class Rows:
    """The first rows of one call's data, by path in the batch."""

    ordered: bool = False
    """They are in the order of the data set."""
    parts: dict[str, list[NDArray[Any]]] = field(default_factory=dict)
    count: int = 0

    def take(self, found: Mapping[str, NDArray[Any]]) -> None:
        """Keep some rows more, where all elements have as many and are the same as before."""
        lengths = {len(array) for array in found.values()}
        if self.count >= fitting.ROWS or len(found) < 2 or len(lengths) != 1 or (self.parts and set(self.parts) != set(found)):  # noqa: PLR2004 - pairs
            return
        for path, array in found.items():
            self.parts.setdefault(path, []).append(reduced(array[: fitting.ROWS - self.count]))
        self.count += min(lengths.pop(), fitting.ROWS - self.count)

    def table(self, path: str) -> NDArray[Any]:
        """All rows of one element; shorter ones are filled up with zeros."""
        width = max(part.shape[1] for part in self.parts[path])
        return np.concatenate([np.pad(part, ((0, 0), (0, width - part.shape[1]))) for part in self.parts[path]])


class Pairs:
    """What is kept of the data of each call of `fit`."""

    def __init__(self) -> None:
        self._given: dict[Place, Rows] = {}
        self._batches: dict[Place, Rows] = {}

    def given(self, place: Place, x: Any, y: Any) -> None:
        """The program handed over whole arrays."""
        found = {
            **dict(_named("[0]", x)),
            **dict(_named("[1]", y)),
        }
        arrays = {path: array for path, item in found.items() if (array := _array(item)) is not None}
        if len(arrays) == len(found):
            self._given.setdefault(place, Rows(ordered=True)).take(arrays)

    def batch(self, place: Place, elements: Mapping[str, Any]) -> None:
        """One batch of whatever gives them."""
        arrays = {path: array for path, item in elements.items() if path[:3] in ("[0]", "[1]") and (array := _array(item)) is not None}
        self._batches.setdefault(place, Rows()).take(arrays)

    def fits(self, record: Record) -> tuple[Fit, ...]:
        """The fits, where the run failed to learn; else nobody needs them."""
        stands = [c for c in record.courses if c.steps >= STEPS and c.first and c.last is not None and c.last >= STANDS * c.first]
        if not stands:
            return ()
        names = {batches.path: batches.values for batches in record.batches}
        labels = {name for step in record.steps for name in step.labels.values}
        tables = [rows for known in (self._given, self._batches) for rows in known.values()]
        return tuple(fit for rows in tables for fit in fitted(rows, names, labels))[:1]


def _named(path: str, part: Any) -> Iterator[tuple[str, Any]]:
    """The elements of inputs or labels, as the paths of batches have them."""
    items = list(part.values()) if isinstance(part, dict) else list(part) if isinstance(part, list | tuple) else [part]
    yield from ((path, item) for item in items) if len(items) == 1 else ((f"{path}[{at}]", item) for at, item in enumerate(items))


def _array(item: Any) -> NDArray[Any] | None:
    """Rows of numbers; None for all else."""
    if not isinstance(item, np.ndarray) and not is_tensor(item):
        return None
    found = numbers(item.numpy() if is_tensor(item) else item)
    return found if found is not None and found.ndim and found.size else None


def reduced(array: NDArray[Any]) -> NDArray[Any]:
    """A copy of some rows, flat; wide ones are averaged in blocks."""
    flat = array.reshape(len(array), -1)
    if flat.shape[1] > WIDE:
        flat = flat[:, : flat.shape[1] // fitting.WIDTH * fitting.WIDTH].reshape(len(flat), fitting.WIDTH, -1).astype(np.float32).mean(2)
    return flat.copy()
