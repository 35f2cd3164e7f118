"""Whether labels belong to their inputs, from the rows of data that a front end has kept."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from whygrad.flow.guesses import GUESSED
from whygrad.frontends import fitting
from whygrad.frontends.numberings import numbered
from whygrad.ir import Course, Fit

WIDE = 4096
"""Entries of a row from which on it is averaged in blocks before it is kept: 512 rows take 8 MB at most."""
STEPS = 20
"""Steps from which on a run whose loss stands may be said to fail."""
STANDS = 0.8
"""Share of its first loss that the last one must reach for the fit to be worth its half a second: one that began above chance may fall a little."""


class Kept(Protocol):
    """The first rows of one data set, by path in the batch or by name of the value."""

    ordered: bool
    parts: dict[str, list[Any]]
    count: int

    def table(self, path: str) -> Any:
        """All rows of one element, as an array of two axes."""


@dataclass(slots=True)
class Rows:
    """The first rows of one data set, as arrays of NumPy."""

    ordered: bool = False
    """They are in the order of the data set."""
    parts: dict[str, list[NDArray[Any]]] = field(default_factory=dict)
    count: int = 0
    met: set[int] = field(default_factory=set)
    """Hashes of whole rows: what comes a second time would fit itself."""

    @property
    def full(self) -> bool:
        """Enough are kept."""
        return self.count >= fitting.ROWS

    def take(self, found: Mapping[str, NDArray[Any]]) -> None:
        """Keep some rows more, where all elements have as many and are the same as before."""
        lengths = {len(array) for array in found.values()}
        if self.full or len(found) < 2 or len(lengths) != 1 or (self.parts and set(self.parts) != set(found)):  # noqa: PLR2004 - pairs
            return
        wanted = fitting.ROWS - self.count
        kept = {path: reduced(array[: 2 * wanted]) for path, array in found.items()}
        fresh = [at for at in range(min(lengths.pop(), 2 * wanted)) if self._new(hash(tuple(rows[at].tobytes() for rows in kept.values())))]
        for path, rows in kept.items():
            self.parts.setdefault(path, []).append(rows[fresh[:wanted]])
        self.count += min(len(fresh), wanted)

    def _new(self, row: int) -> bool:
        known = row in self.met
        self.met.add(row)
        return not known

    def table(self, path: str) -> NDArray[Any]:
        """All rows of one element; shorter ones are filled up with zeros."""
        width = max(part.shape[1] for part in self.parts[path])
        return np.concatenate([np.pad(part, ((0, 0), (0, width - part.shape[1]))) for part in self.parts[path]])


def reduced(array: NDArray[Any]) -> NDArray[Any]:
    """A copy of some rows, flat; wide ones are averaged in blocks."""
    flat = array.reshape(len(array), -1)
    if flat.shape[1] > WIDE:
        flat = flat[:, : flat.shape[1] // fitting.WIDTH * fitting.WIDTH].reshape(len(flat), fitting.WIDTH, -1).astype(np.float32).mean(2)
    return flat.copy()


def learnt_little(courses: Sequence[Course], costs: tuple[float | None, float]) -> bool:
    """After many steps a loss stands, or has come down from far above to what the best constant guess costs, and no lower: else nobody needs the fit."""
    guess = costs[1] if costs[0] is None else costs[0]
    return any(
        course.steps >= STEPS and course.first and course.last is not None and course.last >= min(STANDS * course.first, GUESSED * guess)
        for course in courses
    )


def fitted(rows: Kept, names: Mapping[str, tuple[str, ...]], labels: set[str], courses: Sequence[Course]) -> Iterator[Fit]:
    """Labels fitted by all else that the same data set gives, where the run failed to learn."""
    mine = [path for path in rows.parts if not labels.isdisjoint(names.get(path, ()))]
    others = [path for path in rows.parts if path not in mine]
    if rows.count < fitting.FEWEST or len(mine) != 1 or not others:
        return
    costs = fitting.constant_costs(rows.table(mine[0]))
    inputs = tuple(name for path in others for name in names.get(path, ()))
    found = numbered([rows.table(path) for path in others], rows.table(mine[0])) or (None, None)
    if not learnt_little(courses, costs):
        yield from [Fit(inputs, names[mine[0]], rows.count, None, "", None, *costs, *found)] if found[0] is not None else ()
        return
    orders = fitting.ORDERS if rows.ordered else ()
    scores = fitting.scores([rows.table(path) for path in others], rows.table(mine[0]), orders)
    if scores:
        best = max(orders, key=lambda order: scores[order], default="")
        yield Fit(inputs, names[mine[0]], rows.count, scores[""], best, scores[best] if best else None, *costs, *found)
