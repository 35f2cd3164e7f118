"""What updates are handed, beside the gradients that were calculated for them: sums that are never cleared, and zeros."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whygrad.frontends import source
from whygrad.frontends.arrays import sample_of, wide
from whygrad.frontends.jax import _compat
from whygrad.frontends.jax.assembly import SNAPSHOT
from whygrad.frontends.jax.evaluation import deleted
from whygrad.frontends.jax.tape import SCALING

ROUNDING = 1e-3
"""Share by which a sum may differ from what gradients explain: single precision over many parts stays far below."""
NOTICEABLE = 0.1
"""Share of what an update is handed that older gradients must be before they count: a momentum keeps at most 99 % of them, and what is missing must exceed `ROUNDING`."""
Arrays = dict[str, NDArray[Any]]


@dataclass(slots=True)
class Sums:
    """The gradients since the last update, added up, and what that update was handed."""

    made_by: Callable[[Any], source.Trace | None]
    """Where an array was computed, by identity."""
    since: Arrays = field(default_factory=dict)
    used: Arrays = field(default_factory=dict)
    factors: dict[tuple[str, ...], float | None] = field(default_factory=dict)
    """For the parameters of an update: what the first one's gradients were multiplied by; None where it was handed something else."""

    def derived(self, gradients: Mapping[str, Any]) -> None:
        """A derivative was taken in a recorded step."""
        for name, item in gradients.items():
            found = _numbers(item)
            before = self.since.get(name)
            if found is not None:
                self.since[name] = found if before is None or before.shape != found.shape else before + found

    def handed(self, given: Mapping[str, Any]) -> "Handed | None":
        """An update is given these arrays; None where they are what they should be, or nobody knows."""
        now = {name: found for name, item in given.items() if (found := _numbers(item)) is not None}
        own = {name: self.since.pop(name) for name in now if name in self.since}
        names = tuple(sorted(now))
        old = {name: self.used[name] for name in names if name in self.used}
        self.used.update(now)
        if not now or any(name not in own or own[name].shape != now[name].shape for name in now):
            self.factors[names] = None
            return None
        sums, mine = _flat(now, names), _flat(own, names)
        place = next((trace for item in given.values() if (trace := self.made_by(item)) is not None), None)
        if not np.any(sums) and np.any(mine):
            # timid: an update that is skipped now and then is handed zeros on purpose
            return None if any(np.any(array) for array in old.values()) else Handed("zero", names, place)
        if names not in self.factors:
            self.factors[names] = _multiple(sums, mine)
            return None
        factor = self.factors[names]
        if factor is None or len(old) < len(now):
            return None
        before = _flat(old, names)
        tells = before.shape == sums.shape and np.linalg.norm(before) > NOTICEABLE * np.linalg.norm(sums)
        again = _multiple(sums - before, mine) if tells else None
        grew = again is not None and abs(again - factor) <= ROUNDING * abs(factor)
        return Handed("stale", names, place) if grew else None


@dataclass(frozen=True, slots=True)
class Handed:
    """An update was handed zeros in place of gradients, or gradients that an earlier one had used beside its own."""

    what: str
    names: tuple[str, ...]
    trace: source.Trace | None


def source_of(item: Any, equations: Mapping[Any, Any]) -> Any:
    """The variable of a traced function that a value is a multiple of."""
    while (equation := equations.get(item)) is not None and equation.primitive.name in SCALING:
        inputs = [one for one in equation.invars if not _compat.is_literal(one) and getattr(one.aval, "shape", None) == item.aval.shape]
        if len(inputs) != 1:
            break
        item = inputs[0]
    return item


def _numbers(item: Any) -> NDArray[Any] | None:
    if item is None or not _compat.is_array(item) or _compat.is_tracer(item) or deleted(item):
        return None
    return wide(sample_of(np.asarray(item), SNAPSHOT)).reshape(-1)


def _flat(arrays: Arrays, names: tuple[str, ...]) -> NDArray[Any]:
    return np.concatenate([np.ravel(arrays[name]) for name in names])


def _multiple(one: NDArray[Any], other: NDArray[Any]) -> float | None:
    """The factor by which the first is the second; None where it is no multiple of it, but for rounding."""
    square = float(other @ other)
    if not np.isfinite(square) or square == 0 or not np.isfinite(one).all():
        return None
    factor = float(one @ other) / square
    return factor if factor and np.linalg.norm(one - factor * other) <= ROUNDING * np.linalg.norm(one) else None
