"""Whether labels belong to their inputs, from the rows of data that a front end has kept."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from whygrad.frontends import fitting
from whygrad.ir import Fit


class Kept(Protocol):
    """The first rows of one data set, by path in the batch or by name of the value."""

    ordered: bool
    parts: dict[str, list[Any]]
    count: int

    def table(self, path: str) -> Any:
        """All rows of one element, as an array of two axes."""


def fitted(rows: Kept, names: Mapping[str, tuple[str, ...]], labels: set[str]) -> Iterator[Fit]:
    """Labels fitted by all else that the same data set gives."""
    mine = [path for path in rows.parts if not labels.isdisjoint(names.get(path, ()))]
    others = [path for path in rows.parts if path not in mine]
    if rows.count < fitting.FEWEST or len(mine) != 1 or not others:
        return
    orders = fitting.ORDERS if rows.ordered else ()
    scores = fitting.scores([rows.table(path) for path in others], rows.table(mine[0]), orders)
    if scores:
        best = max(orders, key=lambda order: scores[order], default="")
        inputs = tuple(name for path in others for name in names.get(path, ()))
        costs = fitting.constant_costs(rows.table(mine[0]))
        yield Fit(inputs, names[mine[0]], rows.count, scores[""], best, scores[best] if best else None, *costs)
