"""The whole numbers that jitted functions are given, call by call: labels of many steps say what those of two can't."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

from whygrad.frontends.jax.assembly import Built
from whygrad.frontends.jax.evaluation import deleted
from whygrad.frontends.jax.pairs import Pairs
from whygrad.ir import Batches, Site

LOOKED = 256
"""Calls that are looked at: a pass over data that is sorted by class shows itself sooner, and each costs microseconds."""
FEWEST, MOST = 8, 65_536
"""Entries of an array that is looked at: fewer are equal by chance, more take longer than the step is worth."""
LATE = 8
"""Arrays that may be on their way: reading them earlier could make the program wait for the device."""


@dataclass(slots=True)
class Feed:
    """One argument of a jitted function, over many calls."""

    loop: Site | None = None
    names: dict[str, None] = field(default_factory=dict)
    seen: int = 0
    low: float = float("inf")
    high: float = float("-inf")
    constant: int = 0
    levels: set[float] = field(default_factory=set)
    arriving: deque[Any] = field(default_factory=deque)

    def add(self, item: Any) -> None:
        """One more call's; it is looked at when it is surely there."""
        self.arriving.append(item)
        while self.arriving and (len(self.arriving) > LATE or isinstance(self.arriving[0], np.ndarray)):
            self._look(self.arriving.popleft())

    def arrived(self) -> None:
        """Look at all that were given."""
        while self.arriving:
            self._look(self.arriving.popleft())

    def _look(self, item: Any) -> None:
        if deleted(item):
            return
        entries = np.asarray(item)
        low, high = float(entries.min()), float(entries.max())
        self.seen += 1
        self.low, self.high = min(self.low, low), max(self.high, high)
        if low == high:
            self.constant += 1
            self.levels.add(low)


class Feeds:
    """All arguments of whole numbers of all jitted functions with a derivative in them."""

    def __init__(self) -> None:
        self.calls: dict[int, int] = {}
        self.feeds: dict[tuple[int, int], Feed] = {}
        self.counts: dict[int, int] = {}
        self.pairs = Pairs()

    def wants(self, function: int) -> bool:
        """This function's calls are looked at still."""
        return 0 < self.calls.get(function, 0) < LOOKED

    def recorded(
        self, function: int, given: Sequence[Any], names: Mapping[int, str], loop: Callable[[], Site | None], built: Built | None
    ) -> None:
        """A recorded call, with the names of what it is given, by position."""
        self.counts[function] = len(given)
        self.pairs.recorded(function, given, names, built)
        for at, name in names.items():
            if _counts(given[at]):
                if (function, at) not in self.feeds:
                    self.feeds[function, at] = Feed(loop=loop())
                self.feeds[function, at].names[name] = None
        self._given(function, given)

    def passed(self, function: int, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """A call that is not recorded."""
        given = [leaf for leaf in jax.tree_util.tree_leaves((args, dict(kwargs))) if _dynamic(leaf)]
        if len(given) == self.counts.get(function):
            self.pairs.passed(function, given)
            self._given(function, given)

    def _given(self, function: int, given: Sequence[Any]) -> None:
        self.calls[function] = self.calls.get(function, 0) + 1
        for (owner, at), feed in self.feeds.items():
            if owner == function and _counts(given[at]):
                feed.add(given[at])

    def records(self) -> Iterator[Batches]:
        """The neutral record of each."""
        for (_, at), feed in self.feeds.items():
            feed.arrived()
            if feed.seen > 1:
                yield Batches(
                    path=f"[{at}]",
                    seen=feed.seen,
                    minimum=feed.low,
                    maximum=feed.high,
                    constant_batches=feed.constant,
                    values=tuple(feed.names),
                    constant_levels=len(feed.levels),
                    order_site=feed.loop,
                )


def _dynamic(leaf: Any) -> bool:
    """What a function may be traced for; functions, structures and text are static arguments."""
    return hasattr(leaf, "dtype") or isinstance(leaf, bool | int | float | complex)


def _counts(item: Any) -> bool:
    kind = getattr(getattr(item, "dtype", None), "kind", "O")
    return isinstance(item, np.ndarray | jax.Array) and kind in "iu" and item.ndim == 1 and FEWEST <= item.size <= MOST
