"""Whether inputs and labels belong together: the first rows of what `fit` is given, held in memory to be fitted. Nothing of them enters the record."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whygrad.frontends.arrays import numbers
from whygrad.frontends.fits import Rows, fitted
from whygrad.frontends.tensorflow.scopes import is_tensor
from whygrad.ir import Fit, Record

Place = tuple[str, int]
TRIES = 64
"""Calls of a compiled step that are looked at, each at the cost of an array: batches of eight rows are enough by then."""


class Pairs:
    """What is kept of the data of each call of `fit`."""

    def __init__(self) -> None:
        self._given: dict[Place, Rows] = {}
        self._batches: dict[Place, Rows] = {}
        self._loops: dict[Place, Rows] = {}
        self._names: dict[Place, dict[str, list[str]]] = {}
        self._tries: Counter[Place] = Counter()

    def wants(self, place: Place) -> bool:
        """More batches of this loop are to be kept."""
        self._tries[place] += 1
        return self._tries[place] <= TRIES and (place not in self._loops or not self._loops[place].full)

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

    def handed(self, place: Place, given: Any, name: Callable[[Any], str | None]) -> None:
        """What a loop of the program's own hands to its compiled step: of it the arrays with as many rows as the first one; a batch of names where they are known."""
        arrays = {f"[{at}]": (item, array) for at, item in enumerate(given) if (array := _array(item)) is not None}
        rows = next((len(array) for _, array in arrays.values()), 0)
        self._loops.setdefault(place, Rows()).take({path: array for path, (_, array) in arrays.items() if len(array) == rows})
        for path, (item, _) in arrays.items():
            known = name(item)
            if known is not None:
                self._names.setdefault(place, {}).setdefault(path, []).append(known)

    def fits(self, record: Record) -> tuple[Fit, ...]:
        """The fits, where the run failed to learn."""
        names = {batches.path: batches.values for batches in record.batches}
        labels = {name for step in record.steps for name in step.labels.values}
        tables = [(rows, names) for known in (self._given, self._batches) for rows in known.values()]
        tables += [(rows, {path: tuple(own) for path, own in self._names.get(place, {}).items()}) for place, rows in self._loops.items()]
        return tuple(fit for rows, known in tables for fit in fitted(rows, known, labels, record.courses))[:1]


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
