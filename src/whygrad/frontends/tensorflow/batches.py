"""What Keras' own training hands out, batch by batch, as far as is looked at."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from whygrad.frontends import source
from whygrad.frontends.tensorflow._compat import tf
from whygrad.frontends.tensorflow.building import Builder
from whygrad.frontends.tensorflow.running import place_of
from whygrad.frontends.tensorflow.scopes import is_tensor
from whygrad.frontends.tensorflow.values import NO_NUMBERS
from whygrad.ir import Batches as Record
from whygrad.ir import Site

LOOKED_AT = 24
"""Batches of one call of `fit` that are looked at: each costs a copy of its elements and an iterator of its own, about a millisecond."""
LABELS = "[1]"
"""Where Keras has them in a batch."""
LOOKED_FOR = 400
"""The same while all labels have been one number: data that are sorted by something else often begin with one class. At a millisecond each, 0.4 s at most."""
DIGESTED = 1_000_000
"""Entries up to which a batch is told apart from others by all of its numbers."""


@dataclass(slots=True)
class Element:
    """One element of the batches: inputs, labels or weights."""

    seen: int = 0
    low: float = math.inf
    high: float = -math.inf
    constant: int = 0
    levels: set[float] = field(default_factory=set)
    digests: set[int] = field(default_factory=set)
    undigested: int = 0
    values: list[str] = field(default_factory=list)

    def wanted(self, path: str) -> bool:
        """Its next batch is to be looked at as well."""
        return self.seen < LOOKED_AT or (path.startswith(LABELS) and self.low == self.high and self.seen < LOOKED_FOR)

    def look(self, tensor: Any) -> None:
        """Take one batch in."""
        array = np.asarray(tensor.numpy())
        self.seen += 1
        if array.dtype.kind not in "biuf" or not array.size:
            self.undigested += 1
            return
        low, high = float(array.min()), float(array.max())
        self.low, self.high = min(self.low, low), max(self.high, high)
        self.constant += low == high
        self.levels.update((low,) if low == high else ())
        if array.size <= DIGESTED:
            self.digests.add(hash(array.tobytes()))
        else:
            self.undigested += 1


class Batches:
    """What every call of `fit` handed out."""

    def __init__(self) -> None:
        self._calls: dict[tuple[str, int], tuple[source.Trace | None, dict[str, Element]]] = {}
        self._sites: dict[tuple[str, int], Site | None] = {}

    def made(self, driver: source.Trace | None, site: Site | None) -> None:
        """Where the data set of this call was put together."""
        self._sites[place_of(driver)] = site

    def wants(self, driver: source.Trace | None) -> bool:
        """More batches of this call are to be looked at."""
        elements = self._of(driver)
        return not elements or any(element.wanted(path) for path, element in elements.items())

    def look(self, driver: source.Trace | None, data: Any) -> None:
        """Take a batch in."""
        elements = self._of(driver)
        for path, tensor in elements_of(data):
            elements.setdefault(path, Element()).look(tensor)

    def note(self, driver: source.Trace | None, path: str, value: str) -> None:
        """An element took part in a recorded step, as this value."""
        values = self._of(driver).setdefault(path, Element()).values
        if value not in values:
            values.append(value)

    def _of(self, driver: source.Trace | None) -> dict[str, Element]:
        return self._calls.setdefault(place_of(driver), (driver, {}))[1]

    def records(self, builder: Builder) -> tuple[Record, ...]:
        """The neutral record of each element."""
        return tuple(
            record_of(path, element, self._sites.get(place_of(driver)) or builder.site(driver))
            for driver, elements in self._calls.values()
            for path, element in elements.items()
            if element.seen
        )


def record_of(path: str, element: Element, site: Site | None, length: int | None = None) -> Record:
    """The neutral record of one element."""
    known = element.high >= element.low
    return Record(
        path,
        element.seen,
        element.low if known else None,
        element.high if known else None,
        element.constant,
        None if element.undigested else len(element.digests) or None,
        tuple(element.values),
        length,
        site,
        None,
        len(element.levels),
    )


def elements_of(data: Any) -> Iterator[tuple[str, Any]]:
    """The tensors of a batch of Keras', with the path that a user would write."""
    parts = data if isinstance(data, tuple | list) else (data,)
    for at, part in enumerate(parts[:3]):
        flat = [item for item in tf.nest.flatten(part) if is_tensor(item) and item.dtype.name not in NO_NUMBERS]
        for number, item in enumerate(flat):
            yield (f"[{at}]" if len(flat) == 1 else f"[{at}][{number}]"), item


def called(base: str, part: Any, number: int, count: int) -> str:
    """A tensor of what a step was given, as the program would write it."""
    if isinstance(part, dict) and len(part) == count:
        keys = sorted(part)
        return f"{base if base.isidentifier() else 'y'}[{keys[number]!r}]"
    return base if count == 1 else f"{base}[{number}]"
