"""Optimizers that optax makes anew in each of their updates, from numbers in their state: `inject_hyperparams`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from whygrad.frontends.jax import _compat
from whygrad.frontends.jax.schedules import RATES, Schedule
from whygrad.frontends.jax.transformations import Made

NAMES = ("inject_hyperparams", "inject_stateful_hyperparams")
"""What makes them."""


class Injections:
    """Of all that such an optimizer makes, the first is taken for its parts; the others stand for the same."""

    def __init__(self) -> None:
        self.under_way: list[tuple[Made, list[Made]]] = []

    def repeats(self) -> bool:
        """What is made now stands for what is known already."""
        return bool(self.under_way) and bool(self.under_way[-1][0].parts)

    def made(self, entry: Made, name: str) -> None:
        """A transformation was made: by the program, or by such an optimizer."""
        if name in NAMES:
            entry.injects = True
            entry.settings.update({key: None for key in RATES if not callable(entry.settings.get(key))})
        if self.under_way:
            self.under_way[-1][1].append(entry)

    @contextmanager
    def by(self, entry: Made) -> Iterator[None]:
        """While a transformation is at work."""
        if not entry.injects:
            yield
            return
        self.under_way.append((entry, []))
        try:
            yield
        finally:
            _, found = self.under_way.pop()
            inner = {id(part) for made in found for part in made.parts}
            entry.parts = entry.parts or [_without_numbers(made) for made in found if id(made) not in inner]


def _without_numbers(made: Made) -> Made:
    """What it was made with in this update says nothing of the next."""
    for part in made.every():
        part.settings = {key: None if _injected(item) else item for key, item in part.settings.items()}
    return made


def _injected(item: Any) -> bool:
    return _compat.is_array(item) or isinstance(item, Schedule)
