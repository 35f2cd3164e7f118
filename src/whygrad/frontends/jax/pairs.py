"""Whether inputs and labels belong together: the first rows that derivatives are given, held in memory to be fitted. Nothing of them enters the record."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

from whygrad.frontends import fitting
from whygrad.frontends.arrays import numbers
from whygrad.frontends.fits import Rows, fitted
from whygrad.frontends.jax.assembly import Built
from whygrad.frontends.jax.derivations import Asked, arguments_of
from whygrad.frontends.jax.evaluation import concrete, deleted
from whygrad.frontends.jax.tape import Numbers
from whygrad.ir import Fit, Record


@dataclass(slots=True)
class Given:
    """The rows that one function or one derivative is given, call by call."""

    rows: Rows = field(default_factory=lambda: Rows(ordered=True))
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Argument to the names of its values in the recorded steps."""
    label: str = ""
    """The argument that has as many rows as all others."""

    def known(self, names: Mapping[str, str], labels: set[str]) -> None:
        """What a recorded step calls the arguments."""
        for path, name in names.items():
            before = self.names.get(path, ())
            self.names[path] = before if name in before else (*before, name)
        self.label = self.label or next((path for path, name in names.items() if name in labels), "")

    def take(self, find: Callable[[str], Any]) -> None:
        """The arguments of one call."""
        if self.rows.full or not self.label:
            return
        found = {path: array for path in self.names if (array := _array(find(path))) is not None}
        if self.label in found:
            size = len(found[self.label])
            self.rows.take({path: array for path, array in found.items() if len(array) == size})


class Pairs:
    """What is kept of the data that the program trains on."""

    def __init__(self) -> None:
        self.given: dict[object, Given] = {}

    def recorded(self, function: int, given: Sequence[Any], names: Mapping[int, str], built: Built | None) -> None:
        """A recorded call of a jitted function."""
        held = {parameter.value for step in (built.step,) for parameter in step.parameters} if built is not None else set[str]()
        kept = self.given.setdefault(function, Given())
        kept.known({str(at): name for at, name in names.items() if name not in held}, _labels(built))
        self.passed(function, given)

    def passed(self, function: int, given: Sequence[Any]) -> None:
        """Any call of it."""
        if (kept := self.given.get(function)) is not None:
            kept.take(lambda path: given[int(path)] if int(path) < len(given) else None)

    def met(self, built: Built) -> None:
        """A recorded step: arguments of a derivative outside of every jitted function, and whole data that a function closes over."""
        for part, facts in zip(built.parts, built.facts, strict=False):
            moving = {argument.number for argument in part.program.derivation.parameters}
            if not part.program.compiled:
                paths = {a.path: a.number for a in part.program.derivation.arguments if a.number not in moving}
                self._beside(_place(part.program.derivation), paths, facts.names, part.arrays, built)
            whole = {
                facts.names[n]: n for n in part.program.external() if n not in moving and n in facts.names and _long(part.arrays.get(n))
            }
            self._beside(("whole", _place(part.program.derivation)), whole, facts.names, part.arrays, built)

    def _beside(self, key: object, paths: Mapping[str, int], names: Mapping[int, str], arrays: Mapping[int, Any], built: Built) -> None:
        kept = self.given.setdefault(key, Given())
        kept.known({path: names[number] for path, number in paths.items() if number in names}, _labels(built))
        kept.take(lambda path: arrays.get(paths[path]) if path in paths else None)

    def asked(self, asked: Asked, place: object) -> None:
        """A derivative that was asked for in a step that is not recorded."""
        kept = self.given.get(place)
        if kept is not None and kept.label and not kept.rows.full:
            held = Numbers()
            found = {argument.path: argument.number for argument in arguments_of(asked, held)}
            kept.take(lambda path: held.objects.get(found[path]) if path in found else None)

    def fits(self, record: Record) -> tuple[Fit, ...]:
        """The fits, where the run failed to learn."""
        labels = {name for step in record.steps for name in step.labels.values}
        return tuple(fit for given in self.given.values() for fit in fitted(given.rows, given.names, labels, record.courses))[:1]


def _place(derivation: Any) -> object:
    return derivation.trace.user if derivation.trace is not None else None


def _labels(built: Built | None) -> set[str]:
    return set(built.step.labels.values) if built is not None else set()


def _long(item: Any) -> bool:
    shape: tuple[int, ...] = getattr(item, "shape", ())
    return bool(shape) and shape[0] >= fitting.FEWEST


def _array(item: Any) -> Any:
    """Rows of numbers that are there already; None for all else."""
    item = concrete(item)
    if not isinstance(item, np.ndarray | jax.Array) or deleted(item) or not getattr(item, "is_fully_addressable", True):
        return None
    ready = getattr(item, "is_ready", None)
    if ready is not None and not ready():
        return None  # timid: to read it would make the program wait for its device
    found = numbers(item)
    return found if found is not None and found.ndim and found.size else None
